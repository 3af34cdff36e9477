"""Index of the admin pages of dispatch, one line per capability."""
