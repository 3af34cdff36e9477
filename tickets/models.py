"""Index of the tables of tickets, one line per capability."""
