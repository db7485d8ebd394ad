"""Which of the requests that are under way OpenAPI+ means, when it says that one was refused and not which."""

from __future__ import annotations

from typing import TYPE_CHECKING

from koapy.openapi.tr import UnknownTr, tr
from koapy.server.names import REMEMBERED

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class Unanswered:
    """The requests. Belongs to the control's thread."""

    def __init__(self) -> None:
        self._inputs: dict[str, str] = {}
        """What is given to the next request."""
        self._sent: dict[str, bool] = {}
        """Whether their inputs fit, by request name, oldest first."""

    def note(self, function: str, args: Sequence[object]) -> None:
        """A function is called with these arguments."""
        if function == "SetInputValue":
            self._inputs[str(args[0])] = str(args[1])
        elif function == "CommRqData":
            inputs, self._inputs = self._inputs, {}
            self._sent[str(args[0])] = _fit(str(args[1]), inputs)
            if len(self._sent) > REMEMBERED:
                del self._sent[next(iter(self._sent))]

    def answered(self, request: str) -> None:
        """An answer has come."""
        self._sent.pop(request, None)

    def refused(self) -> str:
        """The name of the request that was most probably refused, "" where none is under way.

        It is refused within milliseconds, and for its inputs: the newest one whose inputs do not fit, or else the
        newest one.
        """
        newest_first = tuple(reversed(self._sent))
        unfit = (each for each in newest_first if not self._sent[each])
        found = next(unfit, newest_first[0] if newest_first else "")
        self.answered(found)
        return found


def _fit(code: str, inputs: Mapping[str, str]) -> bool:
    """Whether these are what the TR takes, as far as the catalogue knows."""
    try:
        known = tr(code)
    except UnknownTr:
        return False
    return all(each.takes(inputs.get(each.name, "")) for each in known.inputs)
