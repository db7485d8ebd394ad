"""What controls made of Python have in common that own the thread on which everything of theirs runs."""

from __future__ import annotations

import threading
from collections import deque
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from collections.abc import Callable


class Owner:
    """Takes work for its thread; what runs the work, and when, is up to the subclass.

    Args:
        where: the control, as errors name it.
    """

    _thread: threading.Thread

    def __init__(self, where: str) -> None:
        self._where = where
        self._changed = threading.Condition()
        # Changed under that condition only.
        self._jobs: deque[tuple[Future[Any], Callable[..., Any], tuple[Any, ...]]] = deque()
        self._closed = False

    def submit(self, function: Callable[..., Any], /, *args: Any) -> Future[Any]:
        """Run `function(*args)` on the control's thread and give its outcome. May be called on any thread.

        Raises:
            RuntimeError: the control has been closed.
        """
        future: Future[Any] = Future()
        with self._changed:
            if self._closed:
                raise RuntimeError(f"{self._where} has been closed")
            self._jobs.append((future, function, args))
            self._changed.notify_all()
        return future

    def close(self) -> None:
        """End the thread and wait for it. Harmless twice, and on the thread itself."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        if self._thread is not threading.current_thread():
            self._thread.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _require_own_thread(self, function: str) -> None:
        """Refuse a call of a function that is made on another thread. Raises: RuntimeError."""
        if threading.get_ident() != self._thread.ident:
            raise RuntimeError(
                f"{function} was called on thread {threading.current_thread().name!r}, but OpenAPI+ works on the "
                f"control's own thread only: use control.submit(control.{function}, ...)"
            )
