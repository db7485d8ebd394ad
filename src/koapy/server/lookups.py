"""Look-ups that are constant for a day: asked of the control once, and answered without it until the next login or day.

What OpenAPI+ says of issues, markets, members and the user comes from master files, which it loads when it logs in.
What may change while a session lasts is not among them: 감리 and 거래정지 of an issue, warnings, the option at the
money. Nor is 기준가, which in a control with a clock of its own, a simulation, changes on days that are not ours.
"""

from __future__ import annotations

from time import time
from typing import TYPE_CHECKING, Any

from koapy.control.apartment import is_inside

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

Args = tuple[str | int, ...]

CONSTANT = frozenset(
    {
        *("GetMasterCodeName", "GetMasterListedStockCnt", "GetMasterListedStockDate", "GetMarketType"),
        *("GetCodeListByMarket", "GetThemeGroupList", "GetThemeGroupCode", "GetBranchCodeName", "GetAPIModulePath"),
        *("GetFutureList", "GetFutureCodeByIndex", "GetActPriceList", "GetMonthList"),
        *("GetOptionCode", "GetOptionCodeByMonth", "GetOptionCodeByActPrice"),
        *("GetSFutureList", "GetSFutureCodeByIndex", "GetSActPriceList", "GetSMonthList", "GetSFOBasisAssetList"),
        *("GetSOptionCode", "GetSOptionCodeByMonth", "GetSOptionCodeByActPrice"),
    }
)
CONSTANT_BY_FIRST_ARGUMENT = {
    "GetLoginInfo": frozenset(
        {"ACCOUNT_CNT", "ACCLIST", "ACCNO", "ACCTLIST_DETAIL", "USER_ID", "USER_NAME", "GetServerGubun"}
    ),
    "KOA_Functions": frozenset(
        {
            *("GetServerGubun", "GetMasterStockInfo", "GetMasterListedStockCntEx", "GetStockMarketKind"),
            *("GetUpjongCode", "GetUpjongNameByCode"),
        }
    ),
}
"""Functions of which only some first arguments ask for what is constant."""

LOOKUPS = CONSTANT | CONSTANT_BY_FIRST_ARGUMENT.keys()
"""Functions of which some answer at least is constant."""

MOST = 16_384
"""Answers that are kept: a few for each issue that is listed. When there are as many, the oldest goes."""
LONGEST_ARGUMENTS = 64
"""Characters of all arguments together; longer ones are no codes or names of anything."""
DAY_SECONDS, KOREA_SECONDS = 86_400, 9 * 3_600


def korean_day() -> int:
    """The day in Korea, as a number that grows by one at midnight there."""
    return int(time() + KOREA_SECONDS) // DAY_SECONDS


class Lookups:
    """What the control has answered to constant look-ups since the last login, today. Belongs to the event loop.

    Args:
        call: asks the control.
        logins: how many OnEventConnect there have been.
        today: a number that changes with the day.
    """

    def __init__(
        self,
        call: Callable[..., Awaitable[Any]],
        logins: Callable[[], int],
        today: Callable[[], int] = korean_day,
    ) -> None:
        self._call = call
        self._logins = logins
        self._today = today
        self._of = (0, 0)
        self._answers: dict[tuple[str, Args], str | int] = {}

    def __len__(self) -> int:
        return len(self._answers)

    async def ask(self, name: str, *args: str | int) -> Any:
        """What a function of the control returns: the control is asked only where the answer is not known.

        Inside an event it always is, so that everything in there happens in its order.

        Raises:
            Failure: as `Core.run` says.
        """
        if is_inside():
            return await self._call(name, *args)
        now = (self._logins(), self._today())
        if now != self._of:
            self._answers.clear()
            self._of = now
        known = self._answers.get((name, args))
        if known is not None:
            return known
        value = await self._call(name, *args)
        # An answer from before a login or midnight is given, but not kept.
        if _is_constant(name, args) and _is_real(value) and now == self._of == (self._logins(), self._today()):
            if len(self._answers) >= MOST:
                del self._answers[next(iter(self._answers))]
            self._answers[name, args] = value
        return value


def _is_constant(name: str, args: Args) -> bool:
    if name not in CONSTANT:
        some = CONSTANT_BY_FIRST_ARGUMENT.get(name)
        if some is None or not args or args[0] not in some:
            return False
    return sum(len(each) for each in args if isinstance(each, str)) <= LONGEST_ARGUMENTS


def _is_real(value: object) -> bool:
    """Not what OpenAPI+ says of what it does not know, or does not know yet."""
    return value != "" if isinstance(value, str) else isinstance(value, int) and value > 0
