"""Recordings of what crosses the seam, and a control that plays them."""

from koapy.replay.control import ReplayControl
from koapy.replay.recorder import Recorder
from koapy.replay.tape import TapeError

__all__ = ["Recorder", "ReplayControl", "TapeError"]
