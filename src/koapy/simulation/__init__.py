"""The embedded exchange and the control on top of it."""
