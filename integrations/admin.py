"""Index of the admin pages of integrations, one line per capability."""
