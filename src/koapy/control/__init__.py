"""The seam: what a control is, the one thread that calls it, and the limits, screens and registrations above it."""
