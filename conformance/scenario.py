"""A day's work that makes the simulation tell everything it can: every TR, every real type, every kind of order."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.samples import Field
from conformance.session import DAY, Message, Program, Told
from koapy.openapi.tr import trs

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from koapy.openapi.tr import Tr, TrInput
    from koapy.simulation.world import ServerKind

CODES = ("005930", "000660", "207940", "069500", "900290")
SECTORS = ("001", "101")
INTERRUPTED = "900290"
"""Cheap enough that one order moves it too far."""
WARRANT = "57KJ01"
"""One of the simulation's own ELWs."""

_TODAY, _LAST_MONTH = f"{DAY:%Y%m%d}", "20260210"
_BY_FORMAT = {
    "fo8": "10100000",
    "date6": "202603",
    "member3": "050",
    "codes;": ";".join(CODES),
    "theme": "320",
    "HHMM": "0900",
    "blank": "",
}
_BY_NAME = {"업종코드": "001", "시간": "60", "기간": "5", "봉갯수": "10", "날짜구분": "99"}
_BY_TR = {
    "opt10017": {"상하한구분": "2", "종목조건": "0"},
    "opt10025": {"매물집중비율": "20"},
    "opt10072": {"시작일자": _TODAY},
}
"""What a quiet morning has rows for."""
_TRIES = 3
"""How often a TR is asked, with other choices each time, while it has no rows."""

_DAY = (
    ("8:29", ((1800, False, ("opt10029",)), (90, True, ()))),
    (
        "15:18",
        (
            (180, True, ("opt10024",)),
            (500, False, ()),
            (90, True, ()),
            (1500, False, ()),
            (30, True, ()),
            (600, False, ()),
            (900, True, ("opt10087", "opt10098")),
            (6000, False, ()),
        ),
    ),
)
"""Stretches of a day, in seconds, whether codes are listened to (their auctions tell much and always the same), and the
TRs that have something to say only at their end."""


class Work:
    """What was told in all, and how."""

    def __init__(self) -> None:
        self.told: dict[Field, list[str]] = {}
        """Values by field."""
        self.messages: list[Message] = []
        self.phases: list[str] = []
        """Announcements of a whole day."""
        self.wrong: list[str] = []
        self.silent: set[str] = set()
        """TRs that brought no OnReceiveTrData."""

    def take(self, program: Program) -> None:
        """Keep what a program has heard, and end it."""
        for field, value in program.told:
            known = self.told.setdefault(field, [])
            if value not in known:
                known.append(value)
        self.messages += program.messages
        self.wrong += program.wrong
        program.close()


def work(server: ServerKind, codes: Collection[str] | None = None, *, day: bool = True) -> Work:
    """Run it all on one server.

    Args:
        codes: of TRs, in lower case; only these are asked.
        day: whether all the rest is done, too: real-time data, look-ups, conditions, the phases of a day.
    """
    done = Work()
    program = Program(server, "10:00")
    _trade(program)
    done.silent = _ask(program, codes)
    if day:
        _listen(program)
        _look_up(program)
        _search(program)
    done.take(program)
    if day:
        for time, stretches in _DAY:
            program = Program(server, time, 12)
            program.call("SetRealReg", "3003", "", "215", "0")
            for seconds, codes_too, asked in stretches:
                if codes_too:
                    _register(program)
                else:
                    program.call("DisconnectRealData", "3001")
                program.advance(seconds)
                _ask(program, asked)
            done.phases += _announced(program)
            done.take(program)
        program = Program(server, "15:25", 1)
        _sleep_on_it(program)
        done.take(program)
    return done


def _sleep_on_it(program: Program) -> None:
    """Ask in the morning about what was traded on the day before."""
    program.order(1, CODES[0], 3)
    program.order(2, CODES[0], 2)
    program.advance(16 * 3600)
    program.call("CommConnect")
    program.advance(1)
    _ask(program, ("opw00008", "opt10073", "opt10074", "opt10170", "opw00018"))


def _trade(program: Program) -> None:
    """Orders of every kind and fate."""
    low, lower = _away(program.price("207940"), -5), _away(program.price("207940"), -6)
    program.order(1, "005930", 3)
    program.order(2, "005930", 1)
    program.order(1, "247540", 2)
    resting = program.order(1, "207940", 5, low, "00")
    moved = program.order(5, "207940", 5, lower, "00", resting)
    program.order(3, "207940", 2, 0, "00", moved)
    program.order(3, "207940", 3, 0, "00", moved)
    held = program.order(2, "000660", 1, 0, "03") or "0"
    high = program.order(2, "000660", 1, _away(program.price("000660"), 3), "00")
    program.order(6, "000660", 1, _away(program.price("000660"), 4), "00", high)
    program.order(4, "000660", 1, 0, "00", f"{int(high or held) + 1:07d}")
    # What is refused: cash, limits, price of a market order, number, quantity, holding, kind, tick, code.
    program.order(1, "005930", 1_000_000, 0)
    program.order(1, "005930", 1, 10 * program.price("005930"), "00")
    program.order(1, "005930", 1, 1000, "03")
    program.order(3, "005930", 1, 0, "00", "9999999")
    program.order(1, "005930", 0)
    program.order(2, "005380", 9_999_999)
    program.order(1, "005930", 1, low, "61")
    program.order(1, "005930", 1, program.price("005930") + 1, "00")
    program.order(2, "10100000", 1)
    # What stays open until the end, so that 미체결 has rows.
    program.waiting = program.order(1, "207940", 4, low, "00")


def _away(price: int, steps: int) -> int:
    """A price some steps of about 1 % from another one, on a tick of any market."""
    step = int("1" + "0" * (len(str(price)) - 3))
    return (price // step + steps) * step


def _ask(program: Program, codes: Collection[str] | None) -> set[str]:
    """Ask for every TR, and return those that brought no answer."""
    silent = set()
    for what in trs():
        if codes is not None and what.code.lower() not in codes:
            continue
        answered = False
        for attempt in range(_TRIES):
            before = len(program.told)
            for inputs in _questions(what, program, attempt):
                program.ask(what.code, inputs)
            heard = {(each.field.part, bool(each.value)) for each in program.told[before:] if each.field.kind == "tr"}
            answered = answered or any(each.field.name == "OnReceiveTrData" for each in program.told[before:])
            if ("multi", True) in heard or (not what.multi and ("single", True) in heard):
                break
        if not answered:
            silent.add(what.code)
    return silent


def _questions(what: Tr, program: Program, attempt: int) -> Iterator[dict[str, str]]:
    """The inputs to ask with: for TRs about an issue, one question an issue."""
    about = next(
        (each.name for each in what.inputs if each.format == "code6" and each.name in ("종목코드", "종목번호")), None
    )
    codes = (WARRANT,) if "ELW" in what.name or what.code == "opt10041" else CODES
    for code in codes if about and not attempt else codes[:1]:
        given = {each.name: _input(each, program, attempt) for each in what.inputs} | _BY_TR.get(what.code, {})
        if about:
            given[about] = code
        yield given


def _input(known: TrInput, program: Program, attempt: int) -> str:
    if known.format == "account10":
        return program.account
    if known.format == "order7" and known.required is not False:
        return program.waiting
    if known.format == "code6":
        return CODES[0]
    if known.format == "date8":
        return _LAST_MONTH if known.name.startswith("시작") else _TODAY
    if known.format in _BY_FORMAT:
        return _BY_FORMAT[known.format]
    choices = [value for value, _ in known.values]
    if choices and attempt:
        return choices[min(attempt - 1, len(choices) - 1)]
    if known.name in _BY_NAME and (not choices or _BY_NAME[known.name] in choices):
        return _BY_NAME[known.name]
    return known.example or (choices[0] if choices else "")


def _register(program: Program) -> None:
    program.call("SetRealReg", "3001", ";".join((*CODES[:3], *SECTORS)), "10;41;131;10010", "0")


def _announced(program: Program) -> list[str]:
    """The phases that were announced, as recordings list them: how often, and the values."""
    values = [each.value for each in program.told if each.field[:2] == ("real", "장시작시간")]
    found: list[tuple[str, int]] = []
    for raw in (" ".join(values[at : at + 3]) for at in range(0, len(values), 3)):
        if found and found[-1][0] == raw:
            found[-1] = raw, found[-1][1] + 1
        else:
            found.append((raw, 1))
    return [f"{times} x {raw}" for raw, times in found]


def _listen(program: Program) -> None:
    """Ticks, those of codes that a TR has registered among them, and an interruption with its end."""
    _register(program)
    for code in ("opt10054", "opt20001", "opt10001", "opt40001", "opt10002"):
        inputs = {each.name: _input(each, program, 0) for each in _tr(code).inputs}
        program.ask(code, inputs, screen=f"4{code[-3:]}")
    future = program.call("GetFutureList").split(";")[0]
    strike = int(program.call("GetActPriceList").split(";")[10]) / 100
    option = program.call("GetOptionCode", f"{strike:.2f}", 2, program.call("GetMonthList").split(";")[0])
    warrant = program.call("GetCodeListByMarket", "3").split(";")[0]
    program.call(
        "SetRealReg", "3004", ";".join((*CODES, "P00101", future, option, warrant)), "10;36;41;141;195;202", "0"
    )
    program.order(1, INTERRUPTED, 10)
    high = program.price(INTERRUPTED) * 108 // 1000 * 10
    program.order(2, INTERRUPTED, 10, high, "00")
    program.order(1, INTERRUPTED, 70_000_000 // high, high, "00")
    program.advance(180)
    _ask(program, ("opt10054",))


def _tr(code: str) -> Tr:
    return next(each for each in trs() if each.code.lower() == code)


def _look_up(program: Program) -> None:
    """Functions whose results were recorded."""
    asked: list[tuple[str, tuple[str | int, ...], str]] = [
        *(("GetLoginInfo", (tag,), tag) for tag in ("ACCOUNT_CNT", "ACCNO", "FIREW_SECGB", "ACCTLIST_DETAIL")),
        ("GetAPIModulePath", (), ""),
        ("GetConnectState", (), ""),
        ("GetCodeListByMarket", ("10",), ""),
        *((name, ("005930",), "") for name in _ABOUT_A_CODE),
        ("GetThemeGroupList", (0,), ""),
        ("GetActPriceList", (), ""),
        ("GetOptionATM", (), ""),
        ("GetFutureList", (), ""),
        ("GetFutureCodeByIndex", (0,), ""),
        ("GetSFOBasisAssetList", (), ""),
        ("KOA_Functions", ("GetUpjongCode", "0"), "GetUpjongCode"),
    ]
    for name, arguments, part in asked:
        program.told.append(Told(Field("function", name, part, "returned"), str(program.call(name, *arguments))))


_ABOUT_A_CODE = (
    "GetMasterCodeName",
    "GetMasterConstruction",
    "GetMasterListedStockDate",
    "GetMasterStockState",
    "GetMasterLastPrice",
)


def _search(program: Program) -> None:
    """Conditions, once and in real time."""
    program.call("GetConditionLoad")
    program.advance(1)
    names = [each.split("^") for each in program.call("GetConditionNameList").split(";") if each]
    for screen, (index, name) in enumerate(names, 5001):
        program.call("SendCondition", str(screen), name, int(index), 1)
        program.advance(1)
    program.advance(60)
