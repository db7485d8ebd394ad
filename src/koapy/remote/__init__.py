"""A control in another process: its proxy here, and what offers it there."""
