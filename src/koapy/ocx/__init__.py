"""The OpenAPI+ control itself: a 32-bit host process has it, and `OcxControl` is the seam on this side.

The host's sources are in `ocx/` beside this package; `docs/remote.md` has the frames that go in between.
"""

from koapy.ocx.control import OcxControl
from koapy.ocx.process import HostNotFound
from koapy.remote.keeper import ControlLost

__all__ = ["ControlLost", "HostNotFound", "OcxControl"]
