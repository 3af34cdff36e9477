"""Index of the tables of dispatch, one line per capability."""
