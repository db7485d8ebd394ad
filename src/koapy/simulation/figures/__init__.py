"""What an exchange does not know and OpenAPI+ is asked about: who traded, on what credit, what funds and contracts are.

The simulation makes these figures up from code and day alone, and derives everything from the market's own prices and
volumes: parts of a volume add up to it, and a contract is worth what the index it is written on makes it worth. They
are plausible, the same in every session, and not the real ones. Nothing here has OpenAPI+ words.
"""
