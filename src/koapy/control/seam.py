"""The seam between the gateway and whatever plays OpenAPI+.

A control is any object that has the OpenAPI+ functions under their own names and argument orders and the OpenAPI+
events as attributes with ``connect`` and ``disconnect``. It may lack functions and events that it does not offer.

Some bring more:

* ``submit``: one that has a thread of its own; one without is called from an `Apartment`'s thread.
* ``outlook``, a `koapy.control.outlook.Outlook`: one that knows more of itself than whether it is logged in.
* ``read_tick(code, fids)``, a list of what GetCommRealData gives for each: one from which they are had at once.
* ``read_ahead(fids, held)``, which says what to read of ticks, by real type, and in which events to wait for more, and
  ``waits``, whether it does in the one that it is telling: one that reads its events ahead of their slots. For all else
  it raises `Unread`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Future


OTHERS = ""
"""Among the real types of `read_ahead`: all that are not named."""


class Unread(RuntimeError):
    """An event did not bring this, and the control has gone on, so that it can be read no more."""


class Signal(Protocol):
    """One OpenAPI+ event of a control. Slots run on the control's thread, in the order in which they were connected."""

    def connect(self, slot: Callable[..., Any], /) -> object:
        """Have `slot` called with the event's arguments, in order, each time the event occurs."""
        ...

    def disconnect(self, slot: Callable[..., Any], /) -> object:
        """Stop calling `slot`."""
        ...


class Control(Protocol):
    """What every control shares; the functions themselves are listed in `koapy.openapi.functions`.

    ``GetConnectState`` and the rest are looked up by name, because a control may offer only some of them.
    """

    def __getattr__(self, name: str, /) -> Any: ...


@runtime_checkable
class Submitting(Protocol):
    """A control that owns its thread and runs callables there."""

    def submit(self, function: Callable[..., Any], /, *args: Any) -> Future[Any]:
        """Run `function(*args)` on the control's thread and give its outcome."""
        ...
