"""The published import path of the event handlers' base."""
