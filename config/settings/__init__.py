"""One module per place Wardline runs in; there is no default here on purpose."""
