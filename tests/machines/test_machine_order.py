"""The life of an OrderCall: what is forwarded, and which event ends it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import grpc
import pytest
from hypothesis import given
from hypothesis import strategies as st

from koapy.orders.model import NewOrder
from koapy.server.events import (
    Event,
    EventConnect,
    ReceiveChejanData,
    ReceiveMsg,
    ReceiveRealData,
    ReceiveTrData,
    Table,
)
from koapy.server.machines import Ask, Done, Effect, Limit, Numbered, Send
from koapy.server.machines.order import Order

if TYPE_CHECKING:
    from koapy.server.failure import Failure

ACCOUNT, CODE = "8000000011", "005930"
OVER = ReceiveRealData("09", "장시작시간", "8\t888888\t000000")
N, CHANGED, C, OTHER = "0000101", "0000100", "0000102", "0000777"
"""This order, the one it changes, one that changes it, and one that has nothing to do with it."""
NEW, CHANGE = "", CHANGED


def order(original: str = NEW, *, quantity: int = 10, quote_type: str = "00") -> Order:
    order_type = 3 if original else 1
    return Order(
        "r1",
        "0001",
        NewOrder(
            function="SendOrder",
            account=ACCOUNT,
            order_type=order_type,
            code=CODE,
            quantity=quantity,
            price=70000,
            quote_type=quote_type,
            original=original,
        ),
    )


def chejan(gubun: str, values: dict[int, str]) -> ReceiveChejanData:
    fids = tuple(values)
    listed = ";".join(map(str, fids))
    return ReceiveChejanData(gubun, len(fids), listed, tuple(map(str, fids)), values)


def event(number: str, state: str, still_open: int | str, *, of: str = "0000000", ordered: int = 10, **more: str):
    """An order event; `now` is what this fill traded, `last` FID 819, `gubun`, `account` and `code` as they are."""
    values = {
        9201: more.get("account", ACCOUNT),
        9203: number,
        9001: more.get("code", "A005930"),
        913: state,
        900: str(ordered),
        902: str(still_open),
        904: of,
        911: more.get("now", "1" if state == "체결" else ""),
        915: more.get("now", "1" if state == "체결" else ""),
        919: more.get("why", "0"),
    }
    if "old" not in more:
        values[819] = more.get("last", "0")
    return chejan(more.get("gubun", "0"), values)


def closing(number: str, state: str = "접수", **more: str) -> ReceiveChejanData:
    return event(number, state, 0, now="", last="1", **more)


def balance(gubun: str = "1", code: str = "A005930", account: str = ACCOUNT) -> ReceiveChejanData:
    return chejan(gubun, {9201: account, 9001: code, 930: "5"})


def told(text: str = "[100000] 모의투자 매수주문완료") -> ReceiveMsg:
    return ReceiveMsg("0001", "r1", "KOA_NORMAL_BUY_KP_ORD", text)


def answered(number: str = N) -> ReceiveTrData:
    return ReceiveTrData("0001", "r1", "KOA_NORMAL_BUY_KP_ORD", "", "", Table(("주문번호",), ((number,),)))


@dataclass
class Played:
    """What a machine did with events: which it forwarded, and at which it ended."""

    forwarded: list[Event] = field(default_factory=list)
    ended_at: int | None = None
    failure: Failure | None = None


def play(machine: Order, events: list[Event]) -> Played:
    played = Played()
    machine.start()
    for at, each in enumerate(events):
        for effect in machine.received(each):
            if isinstance(effect, Done):
                played.ended_at, played.failure = at, effect.failure
                return played
            if isinstance(effect, Send):
                played.forwarded.append(effect.event)
            else:
                assert effect == Numbered()
                assert played.forwarded[-1] == each, "told after the answer that has it"
    return played


HEAD: list[Event] = [told(), answered()]
ACCEPTED = event(N, "접수", 10)
CANCEL = [event(C, "접수", 10, of=N), event(C, "확인", 0, of=N)]
MODIFY = [event(C, "접수", 10, of=N), event(C, "확인", 10, of=N)]

ENDS_WELL: dict[str, tuple[dict[str, str], list[Event]]] = {
    "bought at once": ({}, [ACCEPTED, event(N, "체결", 0), balance()]),
    "derivatives' balance": ({}, [ACCEPTED, event(N, "체결", 0), balance("4")]),
    "sold: the first balance frees 933 only": ({}, [ACCEPTED, balance(), event(N, "체결", 0), balance()]),
    "two fills": ({}, [ACCEPTED, event(N, "체결", 6), balance(), event(N, "체결", 0), balance()]),
    "filled, closing signal instead of a balance": ({}, [ACCEPTED, event(N, "체결", 0), closing(N, "체결")]),
    "cancelled": ({}, [ACCEPTED, *CANCEL, closing(N)]),
    "partly filled, then cancelled": (
        {},
        [
            ACCEPTED,
            event(N, "체결", 6),
            balance(),
            event(C, "접수", 6, of=N, ordered=6),
            event(C, "확인", 0, of=N, ordered=6),
            closing(N, "체결"),
        ],
    ),
    "a cancelled sell whose balance comes first": ({}, [ACCEPTED, balance(), *CANCEL, balance()]),
    "modified": ({}, [ACCEPTED, *MODIFY, closing(N)]),
    "cancelled in a quantity of 0, which is all": (
        {},
        [ACCEPTED, event(C, "확인", 0, of=N, ordered=0), closing(N)],
    ),
    "cancelled in part, then filled": (
        {},
        [
            ACCEPTED,
            event(C, "접수", 4, of=N, ordered=4),
            event(C, "확인", 0, of=N, ordered=4),
            balance(),
            event(N, "접수", 6),
            event(N, "체결", 0),
            balance(),
        ],
    ),
    "modified in part; the other part trades first": (
        {},
        [
            ACCEPTED,
            event(C, "확인", 4, of=N, ordered=4),
            event(C, "체결", 0, of=N, ordered=4),
            balance(),
            event(N, "체결", 0),
            balance(),
        ],
    ),
    "cancelled in part twice, the second time in full": (
        {},
        [ACCEPTED, event(C, "확인", 0, of=N, ordered=4), event("0000103", "확인", 0, of=N, ordered=6), closing(N)],
    ),
    "old list: cancelled": (
        {},
        [event(N, "접수", 10, old="1"), event(C, "확인", 0, of=N, old="1"), event(N, "접수", 0, old="1")],
    ),
    "old list: bought": ({}, [event(N, "접수", 10, old="1"), event(N, "체결", 0, old="1"), balance()]),
    "old list: confirmed itself, then its balance": (
        {},
        [event(N, "접수", 10, old="1"), event(N, "확인", 0, old="1"), balance()],
    ),
    "a last fill that does not say how much it filled": ({}, [ACCEPTED, event(N, "체결", 0, now=""), balance()]),
    "closed, though no confirmation was seen": ({}, [ACCEPTED, closing(N)]),
    "closed, what is open not told": ({}, [ACCEPTED, *CANCEL, event(N, "접수", "", last="1")]),
    "the cancellation's own stream, nothing open from the start": (
        {"original": CHANGE},
        [event(N, "접수", 0, of=CHANGED), balance(), event(N, "확인", 0, of=CHANGED), closing(CHANGED)],
    ),
    "the cancellation's own stream": (
        {"original": CHANGE},
        [event(N, "접수", 10, of=CHANGED), event(N, "확인", 0, of=CHANGED), closing(CHANGED)],
    ),
    "the modification's own stream, the original filling first": (
        {"original": CHANGE},
        [
            event(CHANGED, "체결", 4),
            balance(),
            event(N, "접수", 4, of=CHANGED),
            event(N, "확인", 4, of=CHANGED),
            closing(CHANGED, "체결"),
        ],
    ),
    "a cancellation in part: the next event of the original": (
        {"original": CHANGE},
        [event(N, "접수", 4, of=CHANGED), event(N, "확인", 0, of=CHANGED, ordered=4), event(CHANGED, "체결", 3)],
    ),
    "old list: the cancellation's own stream": (
        {"original": CHANGE},
        [event(N, "확인", 0, of=CHANGED, old="1"), event(CHANGED, "접수", 0, old="1")],
    ),
    "a cancelled sell whose balance comes first, the cancellation's stream": (
        {"original": CHANGE},
        [event(N, "접수", 10, of=CHANGED), event(N, "확인", 0, of=CHANGED), balance()],
    ),
    "IOC filled": ({"quote_type": "10"}, [ACCEPTED, event(N, "체결", 0, now="10"), balance()]),
    "IOC remainder": (
        {"quote_type": "13"},
        [ACCEPTED, event(N, "체결", 6, now="4"), balance(), event(N, "체결", 0, now="")],
    ),
    "IOC remainder, whatever its 913": ({"quote_type": "16"}, [ACCEPTED, event(N, "취소", 0)]),
    "FOK": ({"quote_type": "20"}, [ACCEPTED, event(N, "확인", 0)]),
}


@pytest.mark.parametrize("name", ENDS_WELL)
def test_ends_with_the_last_event_and_forwards_all(name: str) -> None:
    arguments, events = ENDS_WELL[name]
    script = [*HEAD, *events]
    played = play(order(**arguments), script)
    assert played.forwarded == script
    assert (played.ended_at, played.failure) == (len(script) - 1, None)


FAILS: dict[str, tuple[dict[str, str], list[Event], str]] = {
    "refused by the exchange": ({}, [event(N, "거부", 10, why="가격제한폭")], "가격제한폭"),
    "the modifying order trades, the closing signal never came": (
        {},
        [ACCEPTED, *MODIFY, event(C, "체결", 0, of=N)],
        "체결",
    ),
    "an unknown state of the original": ({"original": CHANGE}, [event(CHANGED, "거부", 10)], "거부"),
}


@pytest.mark.parametrize("name", FAILS)
def test_fails_after_forwarding(name: str) -> None:
    arguments, events, text = FAILS[name]
    script = [*HEAD, *events]
    played = play(order(**arguments), script)
    assert played.forwarded == script
    assert played.ended_at == len(script) - 1
    assert played.failure is not None
    assert played.failure.status is grpc.StatusCode.ABORTED
    assert text in played.failure.text


def test_another_gubun_is_an_error_and_not_forwarded() -> None:
    played = play(order(), [*HEAD, event(N, "접수", 10, gubun="3")])
    assert played.forwarded == HEAD
    assert played.failure is not None
    assert "gubun '3'" in played.failure.text


GOES_ON = {
    "accepted": [ACCEPTED],
    "open": [ACCEPTED, event(N, "체결", 4), balance()],
    "filled, its balance not yet there": [ACCEPTED, event(N, "체결", 0)],
    "confirmed, not yet closed": [ACCEPTED, *CANCEL],
    "cancelled in part": [ACCEPTED, event(C, "확인", 0, of=N, ordered=4), balance(), event(N, "접수", 6)],
    "part without a quantity, told by what is open": [
        ACCEPTED,
        event(C, "확인", 0, of=N, ordered=0),
        event(N, "접수", 6),
        balance(),
    ],
}


@pytest.mark.parametrize("name", GOES_ON)
def test_goes_on(name: str) -> None:
    script = [*HEAD, *GOES_ON[name]]
    played = play(order(), script)
    assert played.forwarded == script
    assert played.ended_at is None


FOREIGN = [
    event(OTHER, "체결", 0),
    event(OTHER, "확인", 0, of=CHANGED),
    closing(OTHER),
    event(N, "체결", 0, account="8000000022"),
    event(N, "체결", 0, code="A000660"),
    balance(code="A000660"),
    balance(account="8000000022"),
]


@pytest.mark.parametrize("foreign", FOREIGN)
@pytest.mark.parametrize("original", [NEW, CHANGE])
def test_what_belongs_to_others_is_not_forwarded(foreign: ReceiveChejanData, original: str) -> None:
    played = play(order(original), [*HEAD, event(N, "확인", 4, of=original or "0000000"), foreign])
    assert len(played.forwarded) == 3
    assert played.ended_at is None


def test_an_original_number_of_a_new_order_means_nothing() -> None:
    new = NewOrder(
        function="SendOrder",
        account=ACCOUNT,
        order_type=1,
        code=CODE,
        quantity=10,
        price=0,
        quote_type="03",
        original=CHANGED,
    )
    script = [*HEAD, event(CHANGED, "체결", 0), ACCEPTED, event(N, "체결", 0), event(CHANGED, "체결", 0), balance()]
    played = play(Order("r1", "0001", new), script)
    assert played.forwarded == [*HEAD, ACCEPTED, script[4], script[6]]
    assert played.ended_at == 6


def test_numbers_compare_as_text() -> None:
    assert play(order(), [*HEAD, event("101", "체결", 0)]).forwarded == HEAD


@pytest.mark.parametrize(
    ("text", "code", "message"),
    [
        ("[RC4025] 모의투자 매수증거금이 부족합니다.", "RC4025", "모의투자 매수증거금이 부족합니다."),
        ("[502048] 단가를 입력하지 않는 호가입니다", "502048", "단가를 입력하지 않는 호가입니다"),
        ("증거금 부족으로 주문이 거부되었습니다.", None, "증거금 부족으로 주문이 거부되었습니다."),
    ],
)
def test_a_refused_order_forwards_and_names_the_reason(text: str, code: str | None, message: str) -> None:
    script: list[Event] = [told(text), answered("")]
    played = play(order(), script)
    assert played.forwarded == script
    assert played.failure is not None
    assert played.failure.status is grpc.StatusCode.ABORTED
    assert played.failure.text == f"the order was refused: {text}"
    assert played.failure.details.get("code") == code
    assert played.failure.details["message"] == message


def test_a_refusal_without_a_message() -> None:
    played = play(order(), [answered("")])
    assert played.failure is not None
    assert "gave no reason" in played.failure.text


def test_send_order_in_its_order_of_arguments() -> None:
    machine = order(CHANGE)
    (ask,) = machine.start()
    arguments = ("r1", "0001", ACCOUNT, 3, CODE, 10, 70000, "00", CHANGED)
    assert ask == Ask((("SendOrder", arguments),), Limit.ORDER)
    assert machine.release() == []


def test_a_negative_return_says_its_code() -> None:
    machine = order()
    (ask,) = machine.start()
    assert isinstance(ask, Ask)
    assert machine.returned(ask, 0) == []
    (done,) = machine.returned(ask, -308)
    assert isinstance(done, Done)
    assert done.failure is not None
    assert done.failure.details["code"] == "-308"
    assert "-308" in done.failure.text


def test_it_waits_for_the_number_and_then_for_nothing() -> None:
    machine = order()
    machine.start()
    machine.received(told())
    assert "주문번호" in machine.waiting_for
    machine.received(answered())
    assert machine.waiting_for == ""
    assert machine.number == N


def fails(effects: list[Effect]) -> Failure | None:
    assert len(effects) <= 1
    return effects[0].failure if effects and isinstance(effects[0], Done) else None


def test_what_is_open_expires_with_the_session() -> None:
    machine = order()
    play(machine, [*HEAD, ACCEPTED, event(N, "체결", 6)])
    failure = fails(machine.received(OVER))
    assert failure is not None
    assert failure.status is grpc.StatusCode.ABORTED
    assert "expired with the session: 6 of 10 open" in failure.text


@pytest.mark.parametrize("events", [[], [*HEAD, event(N, "체결", 0)], [*HEAD, ACCEPTED, *CANCEL]])
def test_what_is_not_open_does_not_expire(events: list[Event]) -> None:
    machine = order()
    play(machine, events)
    assert machine.received(OVER) == []


@pytest.mark.parametrize(
    ("events", "returned", "fate"),
    [
        ([], None, "nothing is known"),
        ([], 0, "its number is not known"),
        (HEAD, 0, f"the order {N} was accepted with 10 open"),
        ([*HEAD, event(N, "체결", 6)], 0, f"the order {N} was accepted with 6 open"),
        ([*HEAD, event(N, "체결", 0)], 0, f"the order {N} is through"),
    ],
)
def test_a_lost_connection_says_what_became_of_the_order(events: list[Event], returned: int | None, fate: str) -> None:
    machine = order()
    (ask,) = machine.start()
    assert isinstance(ask, Ask)
    if returned is not None:
        machine.returned(ask, returned)
    for each in events:
        machine.received(each)
    assert machine.received(EventConnect(0)) == []
    failure = fails(machine.received(EventConnect(-106)))
    assert failure is not None
    assert failure.status is grpc.StatusCode.UNAVAILABLE
    assert failure.details["code"] == "-106"
    assert fate in failure.text


# A whole life of an order as an exchange would tell it, with the moment from which it is through.


@dataclass
class Life:
    events: list[ReceiveChejanData] = field(default_factory=list)
    through: int = -1
    """The index of the event with which nothing of the order is open any more."""


@st.composite
def lives(draw: st.DrawFn) -> Life:
    """A new order of 10, filled, cut down and changed in any way that comes to an end."""
    life, still_open, sell, changer = Life(), 10, draw(st.booleans()), 200
    life.events.append(event(N, "접수", 10))
    if sell:
        life.events.append(balance())
    while True:
        kind = draw(st.sampled_from(["fill", "cancel", "modify"]))
        amount = draw(st.integers(1, still_open))
        whole = amount == still_open
        still_open -= amount
        if kind == "fill":
            life.events.append(event(N, "체결", still_open, now=str(amount)))
            if whole:
                life.through = len(life.events) - 1
            life.events.append(balance())
        else:
            changer += 1
            number = f"{changer:07}"
            confirmed = amount if kind == "modify" else 0
            life.events.append(event(number, "접수", amount, of=N, ordered=amount))
            life.events.append(event(number, "확인", confirmed, of=N, ordered=amount))
            if whole:
                life.through = len(life.events) - 1
            if sell and draw(st.booleans()):
                life.events.append(balance())
            if whole:
                life.events.append(closing(N, draw(st.sampled_from(["접수", "체결"]))))
            elif draw(st.booleans()):
                life.events.append(event(N, "접수", still_open))
            if kind == "modify" and not whole and draw(st.booleans()):
                life.events.append(event(number, "체결", 0, of=N, ordered=amount))
                life.events.append(balance())
        if whole:
            return life


@st.composite
def changes(draw: st.DrawFn) -> Life:
    """A cancellation or modification of an order that trades until it is changed, in full or in part."""
    life, still_open = Life(), 10
    for amount in draw(st.lists(st.integers(1, 4), max_size=2)):
        still_open -= amount
        life.events += [event(CHANGED, "체결", still_open, now=str(amount)), balance()]
    amount = draw(st.integers(1, still_open))
    confirmed = draw(st.sampled_from([0, amount]))
    life.events.append(event(N, "접수", amount, of=CHANGED, ordered=amount))
    life.events.append(event(N, "확인", confirmed, of=CHANGED, ordered=amount))
    life.through = len(life.events) - 1
    if draw(st.booleans()):
        life.events.append(balance())
    part = [event(CHANGED, "체결", still_open - amount), event(CHANGED, "접수", still_open - amount)]
    life.events.append(closing(CHANGED) if amount == still_open else draw(st.sampled_from(part)))
    return life


NOISE = st.lists(st.tuples(st.integers(0, 30), st.sampled_from([*FOREIGN, balance(), balance("4")])), max_size=6)


def mixed(life: Life, noise: list[tuple[int, ReceiveChejanData]]) -> tuple[list[ReceiveChejanData], list[Event], int]:
    """The life among other events: all, those to be forwarded, and the index of the one that ends the stream."""
    events, through = list(life.events), life.through
    for at, each in noise:
        at = min(at, len(events))
        events.insert(at, each)
        through += at <= through
    end = next(
        at
        for at, each in enumerate(events)
        if at > through and each not in FOREIGN and (each.gubun != "0" or each[9203] in (N, CHANGED))
    )
    return events, [each for each in events[: end + 1] if each not in FOREIGN], end


@given(life=lives(), noise=NOISE)
def test_a_new_order_ends_neither_early_nor_late(life: Life, noise: list[tuple[int, ReceiveChejanData]]) -> None:
    events, forwarded, end = mixed(life, noise)
    played = play(order(), [*HEAD, *events])
    assert played.forwarded == [*HEAD, *forwarded]
    assert (played.ended_at, played.failure) == (end + len(HEAD), None)


@given(life=changes(), noise=NOISE)
def test_a_change_ends_neither_early_nor_late(life: Life, noise: list[tuple[int, ReceiveChejanData]]) -> None:
    events, forwarded, end = mixed(life, noise)
    played = play(order(CHANGE), [*HEAD, *events])
    assert played.forwarded == [*HEAD, *forwarded]
    assert (played.ended_at, played.failure) == (end + len(HEAD), None)


@given(life=lives(), noise=NOISE, late=st.integers(0, 40))
def test_chejan_that_overtakes_the_answer_makes_no_difference(
    life: Life, noise: list[tuple[int, ReceiveChejanData]], late: int
) -> None:
    events, forwarded, end = mixed(life, noise)
    late = min(late, len(events))
    played = play(order(), [told(), *events[:late], answered(), *events[late:]])
    kinds = [each if isinstance(each, ReceiveChejanData) else type(each) for each in played.forwarded]
    assert kinds == [ReceiveMsg, ReceiveTrData, *forwarded]
    assert played.ended_at == max(end + 2, late + 1)
    assert played.failure is None


def test_a_cancellation_ends_with_its_confirmation_where_the_original_was_closed_before() -> None:
    script = [*HEAD, event(CHANGED, "접수", 0, last="1"), event(N, "확인", 0, of=CHANGED)]
    assert play(order(CHANGE), script).ended_at == 3
