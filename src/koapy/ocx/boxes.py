"""The boxes that OpenAPI+ is known to show, and what is done about each.

Only what is safe whatever the box says stands here with an action. What OpenAPI+ itself asks (to start the program
again after a lost connection, in a box of the title KHOpenAPI; to close all programs for an upgrade, in one of
opstarter) is reported and left to the operator, and nothing is ever typed into a box. `OcxControl(rules=...)` takes
another table.
"""

from __future__ import annotations

from koapy.remote.holding import Rule

KNOWN: tuple[Rule, ...] = (
    # The C++ library's own last words: the process behind such a box is dead, and only the box keeps it.
    Rule("Microsoft Visual C++ Runtime Library", "", "", "end"),
    # Programs besides the host whose boxes are looked for as well.
    Rule("", "opstarter", "", "report"),
    Rule("", "opversionup", "", "report"),
)
"""The first that fits counts."""
