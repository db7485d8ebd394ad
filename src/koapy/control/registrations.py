"""Real-time registrations: a code is registered once at the control, however many want it, and released with the last.

Codes are spread over screens, a hundred to each, so the 200 screens bound codes and never streams.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any, NamedTuple

from koapy.control.apartment import Frozen
from koapy.control.patience import to_the_end
from koapy.openapi.limit import CODES_PER_SCREEN

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable

    from koapy.control.apartment import Apartment
    from koapy.control.screens import Screen, Screens


class RegistrationRefused(Exception):
    """SetRealReg returned a negative code; nothing is registered that was not before."""

    def __init__(self, code: int) -> None:
        super().__init__(f"SetRealReg returned {code}")
        self.code = code


class Refusal(NamedTuple):
    """Codes that were registered before a connection was lost, and are not registered any more."""

    code: int
    """What SetRealReg returned."""
    codes: tuple[str, ...]
    holders: frozenset[Hashable]
    """Who wanted them."""


FIDS_PER_CALL = 100
logger = logging.getLogger(__name__)


class _Registration:
    __slots__ = ("fids", "holders", "screen")

    def __init__(self, screen: Screen, fids: tuple[int, ...], holders: set[Hashable]) -> None:
        self.screen = screen
        self.fids = fids
        self.holders = holders


class Registrations:
    """Who wants which codes. Belongs to the event loop.

    Args:
        apartment: where the control is called.
        screens: where the screens come from.
        call: makes one call of the control, by name, on its thread; what it raises is passed on.
    """

    def __init__(self, apartment: Apartment, screens: Screens, call: Callable[..., Any] | None = None) -> None:
        self._apartment = apartment
        self._call = call or (lambda name, *args: getattr(apartment.control, name)(*args))
        self._screens = screens
        self._codes: dict[str, _Registration] = {}
        self._by_screen: dict[Screen, set[str]] = {}
        self._held: dict[Hashable, set[str]] = {}
        # One change at a time: a release must not overtake the registration of the same code by another stream.
        self._change = asyncio.Lock()

    @property
    def codes(self) -> int:
        """How many codes are registered at the control."""
        return len(self._codes)

    def held_by(self, holder: Hashable) -> frozenset[str]:
        """The codes that `holder` wants."""
        return frozenset(self._held.get(holder, ()))

    def kept_for(self, holder: Hashable) -> tuple[int, int]:
        """How many codes, and screens, are registered for `holder` alone."""
        own = {code for code in self._held.get(holder, ()) if self._codes[code].holders == {holder}}
        return len(own), sum(1 for held in self._by_screen.values() if held and held <= own)

    async def add(self, holder: Hashable, codes: Iterable[str], fids: Iterable[int]) -> None:
        """Have real-time data of `codes` delivered for `holder`.

        Raises:
            RegistrationRefused: the control said no.
            ScreensExhausted: there is no room; says who holds how many.
        """
        wanted = tuple(dict.fromkeys(codes))
        async with self._change:
            known = {code: self._codes[code] for code in wanted if code in self._codes}
            try:
                for screen, chunk, union in self._plan(wanted, tuple(fids)):
                    await self._register(screen, chunk, union)
            except BaseException:
                self._codes.update(known)  # with the FIDs that they had
                await self._drop([code for code in wanted if code in self._codes and code not in known])
                raise
            for code in wanted:
                self._codes[code].holders.add(holder)
            self._held.setdefault(holder, set()).update(wanted)

    async def remove(self, holder: Hashable, codes: Iterable[str] | None = None) -> None:
        """`holder` no longer wants these codes, or none at all; unknown ones are ignored. Cancelling stops nothing."""
        await to_the_end(self._remove(holder, None if codes is None else tuple(codes)))

    async def _remove(self, holder: Hashable, codes: tuple[str, ...] | None) -> None:
        async with self._change:
            held = self.held_by(holder)
            gone = held & set(codes) if codes is not None else held
            self._let_go(holder, gone)
            orphans = []
            for code in sorted(gone):
                registration = self._codes[code]
                registration.holders.discard(holder)
                if not registration.holders:
                    orphans.append(code)
            await self._drop(orphans)

    async def restore(self) -> list[Refusal]:
        """Register at the control all that is registered here, after it has forgotten everything.

        Returns:
            What it refused, which is registered for nobody from now on.
        """
        refusals: list[Refusal] = []
        async with self._change:
            for screen, held in self._by_screen.items():
                by_fids: dict[tuple[int, ...], list[str]] = {}
                for code in sorted(held):
                    by_fids.setdefault(self._codes[code].fids, []).append(code)
                for at, (fids, codes) in enumerate(by_fids.items()):
                    if (refused := await self._set(screen, codes, fids, "1" if at else "0")) < 0:
                        holders = frozenset(holder for each in codes for holder in self._codes[each].holders)
                        refusals.append(Refusal(refused, tuple(codes), holders))
            for refusal in refusals:
                for holder in refusal.holders:
                    self._let_go(holder, refusal.codes)
                await self._drop(refusal.codes)
        return refusals

    def _let_go(self, holder: Hashable, codes: Iterable[str]) -> None:
        """`holder` has these codes no more."""
        held = self._held.get(holder, set())
        held.difference_update(codes)
        if not held:
            self._held.pop(holder, None)

    def _plan(self, codes: tuple[str, ...], fids: tuple[int, ...]) -> list[tuple[Screen, list[str], tuple[int, ...]]]:
        """Which codes to register on which screen with which FIDs; known codes only when they need more FIDs."""
        plan: dict[tuple[Screen, tuple[int, ...]], list[str]] = {}
        new = []
        for code in codes:
            known = self._codes.get(code)
            if known is None:
                new.append(code)
            elif not set(fids) <= set(known.fids):
                union = tuple(dict.fromkeys((*fids, *known.fids)))[:FIDS_PER_CALL]
                plan.setdefault((known.screen, union), []).append(code)
        rooms = [(screen, CODES_PER_SCREEN - len(held)) for screen, held in self._by_screen.items()]
        while new:
            screen, room = rooms.pop() if rooms else (self._new_screen(), CODES_PER_SCREEN)
            if room:
                plan.setdefault((screen, fids), []).extend(new[:room])
                new = new[room:]
        return [(screen, chunk, union) for (screen, union), chunk in plan.items()]

    def _new_screen(self) -> Screen:
        screen = self._screens.take("real-time codes")
        self._by_screen[screen] = set()
        return screen

    async def _register(self, screen: Screen, codes: list[str], fids: tuple[int, ...]) -> None:
        held = self._by_screen[screen]
        option = "1" if held else "0"
        # Noted before the call: when the waiting for it is cancelled, the release that follows must know of it.
        for each in codes:
            held.add(each)
            known = self._codes.get(each)
            self._codes[each] = _Registration(screen, fids, known.holders if known is not None else set())
        if (code := await self._set(screen, codes, fids, option)) < 0:
            raise RegistrationRefused(code)

    async def _set(self, screen: Screen, codes: list[str], fids: tuple[int, ...], option: str) -> int:
        joined = ";".join(map(str, fids))
        code: object = await self._apartment.run(
            self._call, "SetRealReg", screen.number, ";".join(codes), joined, option
        )
        return code if isinstance(code, int) else 0

    async def _drop(self, codes: Iterable[str]) -> None:
        removals = []
        for code in codes:
            screen = self._codes.pop(code).screen
            self._by_screen[screen].discard(code)
            removals.append((screen.number, code))
        empty = [screen for screen, held in self._by_screen.items() if not held]
        try:
            if removals:
                await self._apartment.settle(self._release, removals, [screen.number for screen in empty])
        except Frozen:
            pass  # it is made when the thread is back, before anything that is asked then
        finally:
            self._return_empty_screens()

    def _release(self, removals: list[tuple[str, str]], empty: list[str]) -> None:
        """Give back codes and screens, each whatever the control makes of the others. Runs on its thread."""
        calls = [("SetRealRemove", removal) for removal in removals]
        for name, args in (*calls, *(("DisconnectRealData", (screen,)) for screen in empty)):
            try:
                if self._apartment.has(name):
                    self._call(name, *args)
            except Exception as error:
                logger.warning("not given back: %s", error)

    def _return_empty_screens(self) -> None:
        for screen in [screen for screen, held in self._by_screen.items() if not held]:
            del self._by_screen[screen]
            self._screens.give_back(screen)
