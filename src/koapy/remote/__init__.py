"""A control in another process: its proxy here (`control`), what offers it there (`host`), and what goes between.

`docs/remote.md` describes the frames, for hosts in other languages.
"""
