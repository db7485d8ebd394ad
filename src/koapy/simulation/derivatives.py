"""Look-ups of futures and options: the contracts that are listed today. All are "" before the login.

Futures and options on KOSPI200 and futures on some issues are listed; spreads and options on issues are not.
"""

# ruff: noqa: N803 - parameters have the names that OpenAPI+ gives them

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING

from koapy.simulation.figures.chain import INDEX, at_the_money, bases, futures, stock_futures, strikes
from koapy.simulation.figures.contract import Contract, Kind
from koapy.simulation.tr.contracts import contracts, find
from koapy.simulation.tr.papers import listed as warrants

if TYPE_CHECKING:
    from koapy.simulation.exchange import Exchange
    from koapy.simulation.session import Session

_KINDS = {2: Kind.CALL, 3: Kind.PUT}
"""nCp."""
_NAME = 40
"""Bytes of a name in GetSFOBasisAssetList."""


class Derivatives:
    """What the masters say about futures and options."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def GetFutureList(self) -> str:
        """Codes of the futures on KOSPI200, the nearest first."""
        return ";".join(each.code for each in self._futures())

    def GetFutureCodeByIndex(self, nIndex: int) -> str:
        """The future of this place, 0 the nearest; spreads (4 to 7) are not listed."""
        codes = [each.code for each in self._futures()]
        return codes[nIndex] if 0 <= nIndex < len(codes) else ""

    def GetActPriceList(self) -> str:
        """Strikes of the options in hundredths of a point, ascending."""
        exchange = self._session.world.exchange
        if not self._listed():
            return ""
        return ";".join(str(each) for each in strikes(exchange.sector_quote(INDEX).base))

    def GetMonthList(self) -> str:
        """Months of the options (YYYYMM): of the calls the farthest first, then of the puts the nearest first."""
        months = list(dict.fromkeys(f"{each.expiry:%Y%m}" for each in self._options()))
        return ";".join([*reversed(months), *months])

    def GetOptionCode(self, strActPrice: str, nCp: int, strMonth: str) -> str:
        """The option of a strike in points, 2 call or 3 put, and a month."""
        try:
            strike = int(Decimal(strActPrice.strip()) * 100)
        except (InvalidOperation, ValueError, OverflowError):
            return ""
        return self._option(strike, nCp, strMonth)

    def GetOptionCodeByMonth(self, sTrCode: str, nCp: int, strMonth: str) -> str:
        """The option of another month with the strike of this one."""
        option = self._by_code(sTrCode)
        return self._option(option.strike, nCp, strMonth) if option else ""

    def GetOptionCodeByActPrice(self, sTrCode: str, nCp: int, nTick: int) -> str:
        """The option of the same month whose strike is so many places above this one's."""
        option = self._by_code(sTrCode)
        if option is None:
            return ""
        known = strikes(self._session.world.exchange.sector_quote(INDEX).base)
        place = known.index(option.strike) + nTick
        return self._option(known[place], nCp, f"{option.expiry:%Y%m}") if 0 <= place < len(known) else ""

    def GetOptionATM(self) -> str:
        """The strike at the money in hundredths of a point."""
        return str(at_the_money(self._session.world.exchange.sector_quote(INDEX).last)) if self._listed() else ""

    def GetSFutureList(self, strBaseAssetCode: str) -> str:
        """Futures on an issue, or on all: code^name^base, each followed by ";"."""
        base = strBaseAssetCode.strip()
        numbers = {code: number for number, code, _ in bases()}
        return "".join(
            f"{each.code}^{each.name}^{numbers[each.underlying]};"
            for each in self._stock_futures()
            if base in ("", numbers[each.underlying])
        )

    def GetSFutureCodeByIndex(self, strBaseAssetCode: str, nIndex: int) -> str:
        """The future on an issue of this place, 0 the nearest."""
        code = next((code for number, code, _ in bases() if number == strBaseAssetCode.strip()), "")
        codes = [each.code for each in self._stock_futures() if each.underlying == code]
        return codes[nIndex] if 0 <= nIndex < len(codes) else ""

    def GetSFOBasisAssetList(self) -> str:
        """Issues that futures are written on: international code|name, with ";" between them."""
        known = {each.underlying for each in self._stock_futures()}
        return ";".join(f"{isin(code)}|{_wide(name)}" for _, code, name in bases() if code in known)

    # Options on issues are not listed.

    def GetSActPriceList(self, strBaseAssetGb: str) -> str:
        """No options on issues."""
        return ""

    def GetSMonthList(self, strBaseAssetGb: str) -> str:
        """No options on issues."""
        return ""

    def GetSOptionCode(self, strBaseAssetGb: str, strActPrice: str, nCp: int, strMonth: str) -> str:
        """No options on issues."""
        return ""

    def GetSOptionCodeByMonth(self, strBaseAssetGb: str, sTrCode: str, nCp: int, strMonth: str) -> str:
        """No options on issues."""
        return ""

    def GetSOptionCodeByActPrice(self, strBaseAssetGb: str, sTrCode: str, nCp: int, nTick: int) -> str:
        """No options on issues."""
        return ""

    def GetSOptionATM(self, strBaseAssetGb: str) -> str:
        """No options on issues."""
        return ""

    def _listed(self) -> bool:
        return self._session.connected and INDEX in self._session.world.exchange.sectors

    def _futures(self) -> tuple[Contract, ...]:
        return futures(self._session.world.exchange.today) if self._listed() else ()

    def _options(self) -> list[Contract]:
        if not self._listed():
            return []
        return [each for each in contracts(self._session.world.exchange) if each.kind is not Kind.FUTURE]

    def _stock_futures(self) -> list[Contract]:
        exchange = self._session.world.exchange
        if not self._session.connected:
            return []
        return [each for each in stock_futures(exchange.today) if each.underlying in exchange.instruments]

    def _by_code(self, code: str) -> Contract | None:
        return next((each for each in self._options() if each.code == code.strip()), None)

    def _option(self, strike: int, kind: int, month: str) -> str:
        wanted = strike, _KINDS.get(kind), month.strip()
        found = (each.code for each in self._options() if (each.strike, each.kind, f"{each.expiry:%Y%m}") == wanted)
        return next(found, "")


def contract_name(exchange: Exchange, code: str) -> str:
    """Return the name of a future, an option or a warrant (ELW), "" for an unknown code."""
    found = find(exchange, code)
    if found is None:
        found = next((each.contract for each in warrants(exchange) if each.contract.code == code), None)
    return found.name if found else ""


def warrant_codes(exchange: Exchange) -> list[str]:
    """Return the codes of all warrants (ELW)."""
    return [each.contract.code for each in warrants(exchange)]


def isin(code: str) -> str:
    """Return the international code of a Korean share: its last digit checks the others."""
    body = f"KR7{code}00"
    digits = [int(each) for each in "".join(str(int(letter, 36)) for letter in body)]
    doubled = [2 * each if place % 2 == 0 else each for place, each in enumerate(reversed(digits))]
    return f"{body}{-sum(each // 10 + each % 10 for each in doubled) % 10}"


def _wide(name: str) -> str:
    return name + " " * (_NAME - len(name.encode("cp949", "replace")))
