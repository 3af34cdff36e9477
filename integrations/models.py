"""Index of the tables of integrations, one line per capability."""
