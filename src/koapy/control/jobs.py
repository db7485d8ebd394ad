"""Work that is done on another thread than the one that wants it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Future


def fulfil(future: Future[Any], function: Callable[..., Any], args: tuple[Any, ...]) -> None:
    """Run `function(*args)` for `future`, unless that has been cancelled."""
    if not future.set_running_or_notify_cancel():
        return
    try:
        result = function(*args)
    except BaseException as error:
        future.set_exception(error)
    else:
        future.set_result(result)
