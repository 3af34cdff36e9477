"""Index of the admin pages of assets, one line per capability."""
