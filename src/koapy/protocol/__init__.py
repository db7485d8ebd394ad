"""The published wire contract: its .proto and the modules generated from it."""
