"""The boxes that OpenAPI+ is known to show, and what is done about each.

Titles and programs are those that users of the control have reported; only the real control shows whether they are
still the same. What is not in the table is reported and left alone. Nothing is ever typed into a box.
"""

from __future__ import annotations

from koapy.remote.frames import Rule

KNOWN: tuple[Rule, ...] = (
    # The C++ library's own last words: the process behind such a box is dead, and only the box keeps it.
    Rule("Microsoft Visual C++ Runtime Library", "", "", "end"),
    # "The connection was lost; start the program again", which is what a new host is.
    Rule("KHOpenAPI", "", "재접속", "end"),
    # Every program with the control has to be gone before an upgrade may go on.
    Rule("", "opstarter", "", "report"),
    Rule("", "opversionup", "", "report"),
    # Notices, which hold up the control until somebody has seen them; the log has their text.
    Rule("안내", "", "", "close"),
)
"""The first that fits counts."""
