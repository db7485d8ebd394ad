"""Reading a control's data inside its events. Every function here runs on the control's thread, within the slot."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from koapy.openapi.fid import fid_name
from koapy.openapi.realtype import UnknownRealType, real_type
from koapy.openapi.tr import is_tr, tr
from koapy.server.events import ORDER_NUMBER, Table
from koapy.server.failure import nonsense
from koapy.server.pages import page
from koapy.server.returns import checked, checked_text

if TYPE_CHECKING:
    from koapy.control.seam import Control
    from koapy.server.pages import Page


def tr_data(control: Control, code: str, request: str, record: str) -> tuple[Table | None, Table | Page | None]:
    """The single and the multi part of an answer; for what is no TR, the order number alone."""
    if not is_tr(code):
        number = _cell(control, code, request, 0, ORDER_NUMBER)
        return Table((ORDER_NUMBER,), ((number,),)), None
    known = tr(code)
    single, names = None, known.single_names
    if names:
        single = Table(names, (tuple(_cell(control, code, request, 0, name) for name in names),))
    # A TR that has rows but no names for them (OPTFOFID) has the single part's names in each row.
    names = known.multi_names or names
    rows = checked("GetRepeatCnt", control.GetRepeatCnt(code, record or request))
    if not rows:
        return single, None
    return single, _rows(control, code, request, record, rows, names)


def _rows(control: Control, code: str, request: str, record: str, count: int, names: tuple[str, ...]) -> Table | Page:
    at_once = getattr(control, "GetCommDataEx", None)
    array = at_once(code, record or request) if at_once is not None else None
    if array and not isinstance(array, list | tuple):
        raise nonsense("GetCommDataEx", array, "table")
    # An OCX of another edition has other columns: then only the names say which is which.
    if array and len(array) == count:
        if (read := page(names, array)) is not None:
            return read
        if all(len(row) == len(names) for row in array):
            return Table(names, tuple(tuple(_text("GetCommDataEx", cell) for cell in row) for row in array))
    return Table(
        names, tuple(tuple(_cell(control, code, request, row, name) for name in names) for row in range(count))
    )


def _cell(control: Control, code: str, request: str, row: int, name: str) -> str:
    return _text("GetCommData", control.GetCommData(code, request, row, name))


def _text(function: str, value: object) -> str:
    """A value that was read, stripped; what is no text would be taken for data."""
    text: str = checked_text(function, value)
    return text.strip()


def chejan(control: Control, fid_list: str) -> tuple[tuple[str, ...], dict[int, str]]:
    """Of an order or balance event: the names of all FIDs of its list, and their values, stripped."""
    fids, names = _listed(fid_list)
    read = list(map(control.GetChejanData, fids))
    try:
        return names, dict(zip(fids, map(str.strip, read), strict=True))
    except TypeError:
        return names, {fid: _text("GetChejanData", value) for fid, value in zip(fids, read, strict=True)}  # says what


@lru_cache(maxsize=256)
def _listed(fid_list: str) -> tuple[tuple[int, ...], tuple[str, ...]]:
    """The FIDs of a list, each of them once, and their names."""
    fids = tuple(dict.fromkeys(int(fid) for fid in fid_list.split(";") if fid))
    return fids, tuple(map(fid_name, fids))


class View(NamedTuple):
    """What a stream wants of a tick: the FIDs of the tick's type or those it named, under which names, read how."""

    fids: tuple[int, ...] | None
    """None: the FIDs of the real type."""
    readable: bool
    raw: bool = False
    """Values by splitting the raw data instead of reading each FID; only with the FIDs of the real type."""
    kinds: frozenset[str] | None = None
    """The real types of the ticks that are wanted at all; None: whatever they are."""

    def columns(self, kind: str) -> tuple[tuple[int, ...], tuple[str, ...]]:
        """FIDs and names for a tick of this real type."""
        return _columns(self, kind)


@lru_cache(maxsize=1024)
def _columns(view: View, kind: str) -> tuple[tuple[int, ...], tuple[str, ...]]:
    if view.fids is not None:
        return view.fids, tuple(map(fid_name if view.readable else str, view.fids))
    try:
        known = real_type(kind)
    except UnknownRealType:
        return (), ()
    return known.fids, known.names if view.readable else tuple(map(str, known.fids))


EVERYTHING = View(fids=None, readable=True)
"""What Listen gives of a tick."""

TRADES = frozenset({"주식체결", "주식시세"})
"""Real types whose FID 10 is a price that was traded; that of 주식예상체결 is only expected."""
PRICE = 10
TRADED = View((PRICE,), readable=False, kinds=TRADES)
"""What is read of trades for their prices alone."""
