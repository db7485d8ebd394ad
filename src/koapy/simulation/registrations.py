"""Who wants which real-time data: codes filed under screens, by a request or by SetRealReg."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

EVERYTHING: frozenset[str] = frozenset({"*"})
"""All real types of a code, as a request registers it."""


@dataclass(frozen=True, slots=True)
class Registration:
    """One code under one screen."""

    types: frozenset[str]
    """Real types, or `EVERYTHING`."""
    asked: bool
    """By a request; SetRealRemove does not remove it."""


class Registrations:
    """The registrations of a session."""

    def __init__(self) -> None:
        self._screens: dict[str, dict[str, Registration]] = {}
        self._wanted: dict[str, frozenset[str]] = {}

    @property
    def wanted(self) -> Mapping[str, frozenset[str]]:
        """The real types that are wanted, by code; however many screens want a code, it is one entry."""
        return self._wanted

    def codes(self, screen: str) -> frozenset[str]:
        """The codes of a screen."""
        return frozenset(self._screens.get(screen, ()))

    def add(self, screen: str, codes: Iterable[str], types: frozenset[str], *, asked: bool) -> None:
        """File codes under a screen, besides those that are there."""
        filed = self._screens.setdefault(screen, {})
        for code in codes:
            before = filed.get(code)
            filed[code] = Registration(types | (before.types if before else frozenset()), asked)
            self._count(code)

    def end(self, screen: str) -> None:
        """Take everything of a screen away."""
        for code in self._screens.pop(screen, ()):
            self._count(code)

    def remove(self, screen: str | None, code: str | None) -> None:
        """Take away what SetRealReg filed; None stands for all screens, all codes."""
        for name in [screen] if screen is not None else list(self._screens):
            filed = self._screens.get(name, {})
            for each in [code] if code is not None else list(filed):
                if each in filed and not filed[each].asked:
                    del filed[each]
                    self._count(each)
            if not filed:
                self._screens.pop(name, None)

    def _count(self, code: str) -> None:
        types = frozenset[str]().union(*(filed[code].types for filed in self._screens.values() if code in filed))
        if types:
            self._wanted[code] = types
        else:
            self._wanted.pop(code, None)
