"""What a slot may read: put into an event where the control is, and answered from the event where its slots are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from koapy.openapi.realtype import UnknownRealType, real_type
from koapy.openapi.tr import is_tr, tr

if TYPE_CHECKING:
    from collections.abc import Sequence

    from koapy.openapi.tr import Tr

Value = int | str | bool | None | list[list[str]]
"""What an argument or a return value is; a list is GetCommDataEx's rows."""

ORDER_NUMBER = "주문번호"

ELSEWHERE = object()
"""The event does not say; the control has to be asked."""


@dataclass(frozen=True, slots=True)
class Nothing:
    """An event without data to be read."""


@dataclass(frozen=True, slots=True)
class Fields:
    """The FIDs of a tick or a chejan."""

    values: dict[int, str]


@dataclass(frozen=True, slots=True)
class Answer:
    """What can be read of a TR's or an order's answer."""

    code: str
    records: frozenset[str]
    """Record names under which it was readable."""
    repeat: int | None
    """GetRepeatCnt; None: was not asked."""
    single: dict[str, str]
    """GetCommData of row 0."""
    columns: tuple[str, ...] = ()
    cells: tuple[str, ...] = ()
    """GetCommData of each row and column, where `array` does not say the same."""
    array: tuple[tuple[str, ...], ...] | None = None
    """GetCommDataEx; None: was not asked."""


@dataclass(frozen=True, slots=True)
class Unreadable:
    """The control failed when it was read; each read of the event fails in the same way."""

    text: str


Carried = Nothing | Fields | Answer | Unreadable


class Wanted:
    """Reads inside the events of a control what the slots on the other side may want. Belongs to the control's thread.

    A tick brings the FIDs of its real type, and those that the gateway has named in SetRealReg: a control of another
    edition may have more than the catalogue knows.
    """

    def __init__(self, control: Any) -> None:
        self._control = control
        self._named: dict[int, None] = {}

    def name(self, fids: str) -> None:
        """The gateway has registered these FIDs, joined by ";"."""
        self._named.update((int(fid), None) for fid in fids.split(";") if fid.strip().isdecimal())

    def read(self, event: str, args: Sequence[Any]) -> Carried:
        """What this event carries. Runs in its slot."""
        try:
            match event, args:
                case "OnReceiveRealData", (code, kind, _):
                    return self._tick(code, kind)
                case "OnReceiveChejanData", (_, _, fid_list):
                    return self._chejan(fid_list)
                case "OnReceiveTrData", (_, request, code, record, *_):
                    return self._answer(request, code, record)
        except Exception as error:
            return Unreadable(f"{type(error).__name__}: {error}")
        return Nothing()

    def _tick(self, code: str, kind: str) -> Carried:
        if (read := _function(self._control, "GetCommRealData")) is None:
            return Nothing()
        try:
            fids = dict.fromkeys((*real_type(kind).fids, *self._named))
        except UnknownRealType:
            fids = self._named
        return Fields({fid: str(read(code, fid)) for fid in fids})

    def _chejan(self, fid_list: str) -> Carried:
        if (read := _function(self._control, "GetChejanData")) is None:
            return Nothing()
        return Fields({int(fid): str(read(int(fid))) for fid in fid_list.split(";") if fid})

    def _answer(self, request: str, code: str, record: str) -> Carried:
        if (read := _function(self._control, "GetCommData")) is None:
            return Nothing()
        if not is_tr(code):
            number = str(read(code, request, 0, ORDER_NUMBER))
            return Answer(code, frozenset({request, record, ""}), None, {ORDER_NUMBER: number})
        known = tr(code)
        records = frozenset({request, record, "", known.single_record, known.multi_record})
        single = {name: str(read(code, request, 0, name)) for name in known.single_names}
        repeat = _function(self._control, "GetRepeatCnt")
        rows = int(repeat(code, record or request)) if repeat else 0
        if not rows:
            return Answer(code, records, rows if repeat else None, single)
        return self._rows(known, code, request, record, records, rows, single)

    def _rows(
        self,
        known: Tr,
        code: str,
        request: str,
        record: str,
        records: frozenset[str],
        count: int,
        single: dict[str, str],
    ) -> Answer:
        # A TR that has rows but no names for them has the single part's names in each row.
        columns = known.multi_names or known.single_names
        at_once = _function(self._control, "GetCommDataEx")
        found = at_once(code, record or request) if at_once else None
        array = tuple(tuple(map(str, row)) for row in found) if found is not None else None
        cells: tuple[str, ...] = ()
        if array is None or not _fits(array, count, columns):
            read = self._control.GetCommData
            cells = tuple(str(read(code, request, row, name)) for row in range(count) for name in columns)
        return Answer(code, records, count, single, columns, cells, array)


class Reads:
    """Answers the functions that read an event's data, from what it carries."""

    def __init__(self, carried: Carried) -> None:
        self._carried = carried
        self._fields = carried.values if isinstance(carried, Fields) else None
        self._positions: dict[str, int] | None = None

    def answer(self, function: str, args: tuple[Any, ...]) -> Value | object:
        """What this function returns inside the event; ELSEWHERE where the event does not say.

        Raises:
            RuntimeError: the control failed when it was read.
        """
        if self._fields is not None and function in OF_FIELDS:  # tick after tick, so it comes first
            fid = args[-1] if args else None
            return self._fields.get(fid, ELSEWHERE) if isinstance(fid, int) else ELSEWHERE
        if isinstance(self._carried, Unreadable) and function in READING:
            raise RuntimeError(f"{function} failed in the control's process: {self._carried.text}")
        match function, args:
            case "GetCommData", (code, record, int(row), name) if self._is_of(code, record):
                return self._cell(row, name)
            case "GetRepeatCnt", (code, record) if self._is_of(code, record):
                return self._known(self._answer.repeat)
            case "GetCommDataEx", (code, record) if self._is_of(code, record):
                return self._table()
        return ELSEWHERE

    def fields(self, fids: Sequence[int]) -> list[str] | None:
        """The values of these FIDs; None where the event does not say each of them."""
        values = self._fields
        try:
            return [values[fid] for fid in fids] if values is not None else None
        except KeyError:
            return None

    @property
    def _answer(self) -> Answer:
        assert isinstance(self._carried, Answer)
        return self._carried

    def _is_of(self, code: str, record: str) -> bool:
        carried = self._carried
        return isinstance(carried, Answer) and code.lower() == carried.code.lower() and record in carried.records

    def _table(self) -> Value | object:
        answer = self._answer
        if answer.array is not None:
            return [list(row) for row in answer.array]
        # Rows that were read cell by cell without it, or none: the control has no table of them.
        return None if answer.cells or answer.repeat == 0 else ELSEWHERE

    @staticmethod
    def _known(value: Value) -> Value | object:
        return ELSEWHERE if value is None else value

    def _cell(self, row: int, name: str) -> Value | object:
        answer, item = self._answer, name.strip()
        if row == 0 and item in answer.single:
            return answer.single[item]
        if self._positions is None:
            # Of columns with the same name the first is the one that is read by name.
            self._positions = {column: at for at, column in reversed(list(enumerate(answer.columns)))}
        column = self._positions.get(item)
        if column is None or not 0 <= row < (answer.repeat or 0):
            return ELSEWHERE
        if answer.cells:
            return answer.cells[row * len(answer.columns) + column]
        return ELSEWHERE if answer.array is None else answer.array[row][column]


OF_FIELDS = frozenset({"GetCommRealData", "GetChejanData"})
"""Functions of which the last argument is a FID."""
READING = OF_FIELDS | {"GetCommData", "GetRepeatCnt", "GetCommDataEx"}
"""The functions that an event may answer."""


def _function(control: Any, name: str) -> Any:
    return getattr(control, name, None)


def _fits(array: Sequence[Sequence[str]], count: int, columns: Sequence[str]) -> bool:
    """Whether these rows have the catalogue's form; those of another edition have not."""
    return len(array) == count and all(len(row) == len(columns) for row in array)
