"""The peer's own small site, copied into its environment and run there."""
