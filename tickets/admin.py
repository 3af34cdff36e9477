"""Index of the admin pages of tickets, one line per capability."""
