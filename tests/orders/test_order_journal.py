"""The journal: what it derives of orders, what is on disk when, and files that are none."""

from __future__ import annotations

import sqlite3
import threading
from concurrent.futures import Future
from contextlib import closing, contextmanager
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from koapy.openapi.calendar import KST
from koapy.orders import book
from koapy.orders.journal import Journal, JournalError, JournalFailed, read_events, read_orders
from koapy.orders.lock import JournalInUse
from koapy.orders.model import NewOrder, OrderEvent, OrderRecord, OrderState

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ACCOUNT, CODE = "8012345611", "005930"
N, OTHER = "0000042", "0000043"
KINDS = {1: "+매수", 3: "매수취소", 5: "+매수정정"}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "orders.sqlite"


@pytest.fixture(params=["file", "transient"])
def journal(request: pytest.FixtureRequest, path: Path) -> Iterator[Journal]:
    journal = Journal(path if request.param == "file" else None)
    yield journal
    journal.close()


def new_order(order_type: int = 1, quantity: int = 10, original: str = "") -> NewOrder:
    return NewOrder(
        function="SendOrder",
        account=ACCOUNT,
        order_type=order_type,
        code=CODE,
        quantity=quantity,
        price=70000,
        quote_type="00",
        original=original,
    )


def awaited(begin: Callable[..., object], *args: Any, **kwargs: Any) -> Future[OrderRecord]:
    """What the journal tells of an order that it is given."""
    future: Future[OrderRecord] = Future()

    def then(outcome: OrderRecord | Exception) -> None:
        if isinstance(outcome, Exception):
            future.set_exception(outcome)
        else:
            future.set_result(outcome)

    begin(*args, then=then, **kwargs)
    return future


def intend(journal: Journal, request: str = "r~1", key: str | None = None, **order: Any) -> OrderRecord:
    names = {"request": request, "client_request": "r", "client_screen": "0001"}
    return awaited(journal.intend, new_order(**order), key=key, client="me", **names).result(10)


def tell(journal: Journal, **facts: Any) -> OrderEvent:
    """Have an event written, and give it as it was passed on."""
    told = threading.Event()
    passed: list[int] = []

    def then(order_id: int) -> None:
        passed.append(order_id)
        told.set()

    fields = {"name": "OnReceiveChejanData", "message": b"m", "gubun": "0", "account": ACCOUNT, "code": CODE}
    if facts.get("request"):
        fields = {"name": "OnReceiveTrData", "message": b"m"}
    event = OrderEvent(sequence=journal.last_sequence + 1, time=datetime.now(KST), **(fields | facts))
    journal.event(event, then)
    assert told.wait(10)
    return event._replace(order_id=passed[0])


def chejan(
    number: str, state: str, rest: int, filled: int = 0, *, of: str = "", kind: int = 1, ordered: int = 10
) -> Any:
    return {
        "number": number,
        "state": state,
        "open": rest,
        "filled": filled or None,
        "amount": filled * 70000 or None,
        "original": of,
        "kind": KINDS[kind],
        "ordered": ordered,
    }


ANSWER = {"request": "r~1", "number": N}


@pytest.mark.parametrize(
    ("order", "script", "state", "rest", "filled"),
    [
        ({}, [], OrderState.INTENDED, 0, 0),
        ({}, [0], OrderState.SENT, 0, 0),
        ({}, [-308], OrderState.REFUSED, 0, 0),
        ({}, [0, {"request": "r~1", "number": ""}], OrderState.REFUSED, 0, 0),
        ({}, [0, ANSWER], OrderState.ACCEPTED, 10, 0),
        ({}, [0, ANSWER, chejan(N, "접수", 10), chejan(N, "체결", 6, 4)], OrderState.PARTLY_FILLED, 6, 4),
        ({}, [0, ANSWER, chejan(N, "체결", 6, 4), chejan(N, "체결", 0, 10)], OrderState.FILLED, 0, 10),
        # Events that overtake the answer, and an answer before SendOrder has returned.
        ({}, [0, chejan(N, "접수", 10), chejan(N, "체결", 6, 4), ANSWER], OrderState.PARTLY_FILLED, 6, 4),
        ({}, [ANSWER, chejan(N, "체결", 0, 10), 0], OrderState.FILLED, 0, 10),
        # Cancelled and modified by others, in full and in part.
        ({}, [0, ANSWER, chejan(OTHER, "확인", 0, of=N, kind=3)], OrderState.CANCELLED, 0, 0),
        ({}, [0, ANSWER, chejan(OTHER, "확인", 10, of=N, kind=5), chejan(N, "접수", 0)], OrderState.MODIFIED, 0, 0),
        ({}, [0, ANSWER, chejan(OTHER, "확인", 4, of=N, kind=5, ordered=4)], OrderState.ACCEPTED, 6, 0),
        ({}, [0, ANSWER, chejan(N, "체결", 6, 4), chejan(N, "체결", 0, 4)], OrderState.CANCELLED, 0, 4),
        ({}, [0, ANSWER, chejan(N, "거부", 0)], OrderState.REJECTED, 0, 0),
        # Its own cancellation and modification.
        ({"order_type": 3, "original": OTHER}, [0, ANSWER, chejan(N, "확인", 0, kind=3)], OrderState.CONFIRMED, 0, 0),
        ({"order_type": 5, "original": OTHER}, [0, ANSWER, chejan(N, "확인", 10, kind=5)], OrderState.ACCEPTED, 10, 0),
        # Of other accounts, other orders, and lists that are older than the last fill.
        ({}, [0, ANSWER, chejan(N, "체결", 0, 10) | {"account": "8012345699"}], OrderState.ACCEPTED, 10, 0),
        ({}, [0, ANSWER, chejan(OTHER, "체결", 0, 10)], OrderState.ACCEPTED, 10, 0),
        (
            {},
            [0, ANSWER, chejan(N, "체결", 6, 4), chejan(N, "체결", 8, 2) | {"recovered": True}],
            OrderState.PARTLY_FILLED,
            6,
            4,
        ),
    ],
)
def test_orders_are_what_their_events_say(
    journal: Journal, order: Any, script: list[Any], state: OrderState, rest: int, filled: int
) -> None:
    record = intend(journal, **order)
    for step in script:
        if isinstance(step, int):
            awaited(journal.returned, record.id, step).result(10)
        else:
            tell(journal, **step)
    (found,) = journal.orders()
    assert (found.state, found.open, found.filled, found.amount) == (state, rest, filled, filled * 70000)
    assert found.state.settled == (found not in journal.unsettled())


def test_an_event_is_on_disk_before_it_is_passed_on(path: Path) -> None:
    journal = Journal(path)
    found: list[list[int]] = []

    def look(sequence: int, _: int) -> None:
        found.append([each.sequence for each in read_events(path, sequence - 1)])

    for sequence in range(1, 51):
        event = OrderEvent(sequence=sequence, time=datetime.now(KST), name="OnReceiveMsg", message=b"m")
        journal.event(event, partial(look, sequence))
    written = threading.Event()
    journal.after(written.set)
    assert written.wait(10)
    assert [sequences[0] for sequences in found] == list(range(1, 51))
    journal.close()


def test_an_intent_is_on_disk_before_its_future_says_so(path: Path) -> None:
    journal = Journal(path)
    record = intend(journal, key="k")
    with closing(sqlite3.connect(path)) as other:
        assert other.execute("SELECT id, key, state FROM orders").fetchall() == [(record.id, "k", "intended")]
    journal.close()


def test_what_it_knows_outlives_it(path: Path) -> None:
    first = Journal(path)
    identity = first.identity
    intend(first, key="k")
    tell(first, **ANSWER)
    first.halt("me", "시험").result(10)
    first.close()
    second = Journal(path)
    assert (second.identity, second.last_sequence, second.last_order) == (identity, 1, 1)
    found = second.find("me", "k")
    assert found is not None
    assert (found.number, found.order) == (N, new_order())
    assert second.find("somebody else", "k") is None
    assert second.halted is not None
    assert (second.halted.by, second.halted.reason) == ("me", "시험")
    second.release().result(10)
    assert second.halted is None
    assert intend(second, "r~2").id == 2
    second.close()
    assert [record.id for record in read_orders(path)] == [1, 2]


def test_an_order_that_was_not_sent_frees_its_key(journal: Journal) -> None:
    record = intend(journal, key="k")
    journal.unsent(record.id, "the control was frozen").result(10)
    assert journal.find("me", "k") is None
    assert journal.order(record.id).state is OrderState.REFUSED
    assert intend(journal, "r~2", key="k").id == record.id + 1


def test_a_key_cannot_be_used_twice(journal: Journal) -> None:
    intend(journal, key="k")
    with pytest.raises(JournalFailed):
        intend(journal, "r~2", key="k")
    assert [record.id for record in journal.orders()] == [1]
    assert intend(journal, "r~3", key="other").key == "other"


@contextmanager
def held_up(path: Path) -> Iterator[None]:
    """Nothing can be written while the block lasts, so that all that is given meanwhile is written in one go."""
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")


def give(journal: Journal, done: list[object], **facts: Any) -> None:
    """Give an event to the journal; `done` gets its number when it is on disk."""
    number = journal.last_sequence + 1
    fields = {"name": "OnReceiveChejanData", "message": b"m", "gubun": "0", "account": ACCOUNT, "code": CODE} | facts
    journal.event(OrderEvent(sequence=number, time=datetime.now(KST), **fields), lambda _: done.append(number))


def test_what_waits_is_written_together_and_told_in_its_order(path: Path) -> None:
    journal = Journal(path)
    record = intend(journal)
    done: list[object] = []
    with held_up(path):
        journal.returned(record.id, 0, lambda _: done.append("returned"))
        give(journal, done, name="OnReceiveTrData", **ANSWER)
        give(journal, done, **chejan(N, "체결", 6, 4))
        journal.after(lambda: done.append("barrier"))
        give(journal, done, **chejan(N, "체결", 0, 10))
        other = awaited(
            journal.intend, new_order(), key="k", client="me", request="r~2", client_request="r", client_screen="0001"
        )
        assert read_events(path) == []
    assert other.result(10).first_sequence == 4
    assert done == ["returned", 1, 2, "barrier", 3]
    assert [(each.sequence, each.order_id) for each in read_events(path)] == [(1, 1), (2, 1), (3, 1)]
    found = read_orders(path)
    assert [(each.state, each.returned, each.filled) for each in found] == [
        (OrderState.FILLED, 0, 10),
        (OrderState.INTENDED, None, 0),
    ]
    journal.close()


def test_an_entry_that_is_wrong_fails_alone_among_others(path: Path) -> None:
    journal = Journal(path)
    intend(journal, key="k")
    done: list[object] = []

    def another(request: str, key: str) -> Any:
        names = {"request": request, "client_request": "r", "client_screen": "0001"}
        return awaited(journal.intend, new_order(), key=key, client="me", **names)

    with held_up(path):
        give(journal, done, **chejan(N, "접수", 10))
        wrong = another("r~2", "k")
        unknown = awaited(journal.returned, 4711, 0)
        give(journal, done, **chejan(N, "체결", 10**30, 4))  # no number that SQLite could hold
        right = another("r~3", "other")
        give(journal, done, **chejan(N, "체결", 6, 4))
    for future in (wrong, unknown):
        with pytest.raises(JournalFailed):
            future.result(10)
    assert right.result(10).key == "other"
    written = threading.Event()
    journal.after(written.set)
    assert written.wait(10)
    assert done == [1, 3]
    assert [each.sequence for each in read_events(path)] == [1, 3]
    assert [each.key for each in read_orders(path)] == ["k", "other"]
    assert journal.trouble is None
    journal.close()


@pytest.mark.parametrize("is_restarted", [False, True])
def test_events_that_overtook_the_answer_are_the_orders_own(path: Path, is_restarted: bool) -> None:
    journal = Journal(path)
    tell(journal, **chejan(N, "체결", 3, 7))  # of an earlier order that had the number, or of another program's
    record = intend(journal)
    assert tell(journal, **chejan(N, "접수", 10)).order_id == 0
    assert tell(journal, **chejan(N, "체결", 6, 4)).order_id == 0
    if is_restarted:
        journal.close()
        journal = Journal(path)
    assert tell(journal, **ANSWER).order_id == record.id
    found = journal.order(record.id)
    assert (found.state, found.open, found.filled) == (OrderState.PARTLY_FILLED, 6, 4)
    assert [each.order_id for each in journal.events(0, -1)] == [0, 1, 1, 1]
    journal.close()


def test_a_number_that_was_given_twice_is_the_newest_orders(journal: Journal) -> None:
    first = intend(journal)
    tell(journal, **ANSWER)
    second = intend(journal, "r~2")
    tell(journal, request="r~2", number=N)
    awaited(journal.returned, first.id, 0).result(10)
    assert tell(journal, **chejan(N, "체결", 6, 4)).order_id == second.id
    assert [record.filled for record in journal.orders()] == [0, 4]


def test_orders_that_have_no_number_yet_are_found_by_their_ids(journal: Journal) -> None:
    for at in range(1, 6):
        intend(journal, f"r~{at}")
    awaited(journal.returned, 1, 0).result(10)
    awaited(journal.returned, 2, -308).result(10)
    tell(journal, request="r~3", number=N)
    assert [record.id for record in journal.unnumbered(1, 5)] == [1, 4, 5]
    assert [record.id for record in journal.unnumbered(2, 4)] == [4]


def test_sequence_numbers_have_no_gaps(journal: Journal) -> None:
    with pytest.raises(ValueError, match="event 5 after 0"):
        journal.event(OrderEvent(sequence=5, time=datetime.now(KST), name="OnReceiveMsg", message=b""), print)
    assert tell(journal, **ANSWER).sequence == 1


def test_days_are_korean(path: Path) -> None:
    journal = Journal(path)
    intend(journal)
    today = datetime.now(KST)
    assert len(journal.orders(today.strftime("%Y%m%d"))) == 1
    assert not journal.orders((today - timedelta(days=1)).strftime("%Y%m%d"))
    journal.close()


OF_SCHEMA_1 = """
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE orders (
    id INTEGER PRIMARY KEY, key TEXT, client TEXT NOT NULL, day TEXT NOT NULL, time TEXT NOT NULL,
    request TEXT NOT NULL UNIQUE, client_request TEXT NOT NULL, client_screen TEXT NOT NULL,
    function TEXT NOT NULL, account TEXT NOT NULL, order_type INTEGER NOT NULL, code TEXT NOT NULL,
    quantity INTEGER NOT NULL, price INTEGER NOT NULL, quote_type TEXT NOT NULL, original TEXT NOT NULL,
    extra TEXT NOT NULL, first_sequence INTEGER NOT NULL, state TEXT NOT NULL, returned INTEGER,
    number TEXT NOT NULL, open INTEGER NOT NULL, filled INTEGER NOT NULL, amount INTEGER NOT NULL,
    message TEXT NOT NULL, changed TEXT NOT NULL,
    UNIQUE (client, key)
);
CREATE INDEX orders_by_day ON orders (day);
CREATE INDEX orders_by_number ON orders (number);
CREATE TABLE events (
    sequence INTEGER PRIMARY KEY, time TEXT NOT NULL, name TEXT NOT NULL, message BLOB NOT NULL,
    recovered INTEGER NOT NULL, order_id INTEGER NOT NULL, request TEXT NOT NULL, text TEXT NOT NULL,
    gubun TEXT NOT NULL, account TEXT NOT NULL, code TEXT NOT NULL, number TEXT NOT NULL, original TEXT NOT NULL,
    state TEXT NOT NULL, kind TEXT NOT NULL, ordered INTEGER NOT NULL, open INTEGER NOT NULL,
    filled INTEGER, amount INTEGER
);
CREATE INDEX events_by_code ON events (account, code, sequence);
CREATE INDEX events_by_request ON events (request, sequence);
INSERT INTO meta SELECT * FROM now.meta;
INSERT INTO orders SELECT * FROM now.orders;
INSERT INTO events SELECT * FROM now.events;
PRAGMA application_id = 1802461552;
PRAGMA user_version = 1;
"""


def test_a_journal_of_the_schema_before_goes_on_as_one_of_this(path: Path, tmp_path: Path) -> None:
    journal = Journal(path)
    day = f"{intend(journal, 'r~1', key='mine').time:%Y%m%d}"
    intend(journal, "r~2")
    tell(journal, request="r~1", number=N)
    tell(journal, gubun="0", account=ACCOUNT, code=CODE, number=N, state="체결", ordered=10, filled=10)
    identity, halt = journal.identity, journal.halt("me", "enough").result(10)
    journal.close()
    before = tmp_path / "before.sqlite"
    with closing(sqlite3.connect(before)) as old:
        old.execute("ATTACH ? AS now", (str(path),))
        old.executescript(OF_SCHEMA_1)
    orders, events = read_orders(path, day), read_events(path)
    assert (read_orders(before, day), read_events(before)) == (orders, events), "it can be read as it is"
    journal = Journal(before)
    assert (journal.identity, journal.halted) == (identity, halt)
    assert (journal.orders(day), journal.events(0, 10)) == (orders, events)
    assert journal.find("me", "mine") == orders[0]
    assert journal.events_of(orders[0]) == events
    with pytest.raises(JournalFailed):
        intend(journal, "r~3", key="mine")
    tell(journal, gubun="1", account=ACCOUNT, code=CODE)
    assert [each.sequence for each in journal.events_of(orders[0])] == [1, 2, 3]
    journal.close()
    assert schema_of(before) == schema_of(path)


def schema_of(path: Path) -> set[object]:
    """What the file says of its tables and indexes, and of its version."""
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        return {version, *connection.execute("SELECT type, name, sql FROM sqlite_master")}


def test_what_is_written_does_not_make_a_file_grow(path: Path) -> None:
    journal = Journal(path)
    log = path.with_name(f"{path.name}-wal")
    size = log.stat().st_size
    for number in range(20):
        intend(journal, f"r~{number}")
        tell(journal, request=f"r~{number}", number=f"{number:07d}")
    assert log.stat().st_size == size
    journal.close()
    assert not log.exists()


def test_one_gateway_a_journal(path: Path) -> None:
    first = Journal(path)
    with pytest.raises(JournalInUse, match="in use by the gateway of process"):
        Journal(path)
    first.close()
    Journal(path).close()


def _foreign(path: Path) -> None:
    with closing(sqlite3.connect(path)) as other:
        other.execute("CREATE TABLE t (x)")


def _newer(path: Path) -> None:
    Journal(path).close()
    with closing(sqlite3.connect(path)) as other:
        other.execute("PRAGMA user_version = 999")


@pytest.mark.parametrize(
    ("spoil", "text"),
    [
        (lambda path: path.write_bytes(b"no database at all" * 500), "cannot be opened"),
        (_foreign, "no journal of koapy"),
        (_newer, "newer koapy"),
        (lambda path: path.mkdir(), "it is a folder"),
    ],
)
def test_files_that_are_no_journal(path: Path, spoil: Any, text: str) -> None:
    path.parent.mkdir()
    spoil(path)
    with pytest.raises(JournalError, match=text):
        Journal(path)


@pytest.mark.parametrize("name", ["", ".", "/"])
def test_a_journal_needs_a_name(name: str) -> None:
    with pytest.raises(JournalError, match="it is a folder"):
        Journal(Path(name))


def test_reading_needs_a_file(path: Path) -> None:
    with pytest.raises(JournalError, match="cannot be opened"):
        read_orders(path)


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("intend"), st.integers(1, 100)),
        st.tuples(st.just("answer"), st.integers(0, 9)),
        st.tuples(st.just("fill"), st.integers(0, 9)),
        st.tuples(st.just("return"), st.sampled_from([0, -300])),
    ),
    max_size=40,
)


@settings(max_examples=30, deadline=None)
@given(STEPS, st.sampled_from([0, 1, 3, 4096]))
def test_any_course_of_events_leaves_sound_records(steps: list[tuple[str, int]], remembered: int) -> None:
    with patch.object(book, "REMEMBERED", remembered):
        sound = _course(steps)
    with patch.object(book, "REMEMBERED", 4096):
        assert sound == _course(steps), "what is in memory, and what only in the file, makes no difference"


def _course(steps: list[tuple[str, int]]) -> list[Any]:
    """Play it, and give what became of the orders."""
    journal = Journal()
    records: list[OrderRecord] = []
    for kind, value in steps:
        if kind == "intend":
            records.append(intend(journal, f"r~{len(records)}", quantity=value))
        elif records:
            record = journal.order(records[value % len(records)].id)
            if kind == "return":
                awaited(journal.returned, record.id, value).result(10)
            elif kind == "answer":
                tell(journal, request=record.request, number=f"{record.id:07}")
            else:
                part = record.order.quantity * (value + 1) // 10
                tell(journal, **chejan(f"{record.id:07}", "체결", record.order.quantity - part, part))
    for record in journal.orders():
        assert 0 <= record.open <= record.order.quantity
        assert 0 <= record.filled <= record.order.quantity
        assert record.state is not OrderState.FILLED or record.filled == record.order.quantity
        assert not record.state.settled or record.open == 0
    told = journal.events(0, -1)
    assert [event.sequence for event in told] == list(range(1, journal.last_sequence + 1))
    stand = [(each.id, each.state, each.number, each.open, each.filled, each.returned) for each in journal.orders()]
    journal.close()
    return [stand, [event.order_id for event in told]]
