"""Each limit of risk: what it lets through, what not, and what it says."""

import re
from collections import Counter, deque
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from koapy.openapi.calendar import KST
from koapy.openapi.order import order_types, quote_types
from koapy.orders.model import NewOrder, OrderRecord, OrderState
from koapy.orders.risk import Breach, Risk, RiskLimits, RiskRules
from koapy.orders.verdict import REASONS

ACCOUNT, OTHER = "8000000011", "8000000012"
NOON = datetime(2026, 11, 23, 12, 0, tzinfo=KST)
BUY = NewOrder(
    function="SendOrder", account=ACCOUNT, order_type=1, code="005930", quantity=10, price=70_000, quote_type="00"
)
MARKET = BUY._replace(price=0, quote_type="03")
MODIFY = BUY._replace(order_type=5, original="0000001")
CANCEL = BUY._replace(order_type=3, quantity=0, price=0, quote_type="", original="0000001")
FUTURES = BUY._replace(function="SendOrderFO", code="101W9000", price=0, quote_type="1", extra=("2", "350.25"))


@dataclass(frozen=True)
class Halt:
    by: str = "ann"
    reason: str = "a strange market"
    since: datetime = NOON


def judged(
    order: NewOrder, limits: RiskLimits, last: int | None = None, *, client: str = "bot", halted: Halt | None = None
) -> Breach | None:
    return Risk(RiskRules(everybody=limits)).check(order, client, NOON, last, halted=halted)


TABLE: list[tuple[dict[str, Any], NewOrder, int | None, str]] = [
    # limits, order, last price, reason ("" where it passes)
    ({}, BUY, None, ""),
    ({"read_only": True}, BUY, None, "RISK_READ_ONLY"),
    ({"read_only": True}, MODIFY, None, "RISK_READ_ONLY"),
    ({"read_only": True}, CANCEL, None, "RISK_READ_ONLY"),
    ({"allowed_accounts": frozenset({ACCOUNT})}, BUY, None, ""),
    ({"allowed_accounts": frozenset({OTHER})}, BUY, None, "RISK_ACCOUNT"),
    ({"allowed_accounts": frozenset()}, BUY, None, "RISK_ACCOUNT"),
    ({"allowed_codes": frozenset({"005930"})}, BUY, None, ""),
    ({"allowed_codes": frozenset({"000660"})}, BUY, None, "RISK_CODE"),
    ({"allowed_codes": frozenset({"005930"}), "denied_codes": frozenset({"005930"})}, BUY, None, "RISK_CODE"),
    ({"denied_codes": frozenset({"005930"})}, BUY._replace(code="A005930"), None, "RISK_CODE"),
    ({"denied_codes": frozenset({"0009K0"})}, BUY._replace(code="0009k0"), None, "RISK_CODE"),
    ({"denied_codes": frozenset({"000660"})}, BUY, None, ""),
    ({"max_quantity": 10}, BUY, None, ""),
    ({"max_quantity": 9}, BUY, None, "RISK_QUANTITY"),
    ({"max_quantity": 9}, MODIFY, None, "RISK_QUANTITY"),
    ({"max_quantity": 9}, FUTURES, None, "RISK_QUANTITY"),
    ({"max_quantity": 9}, MODIFY._replace(quantity=0), None, "RISK_QUANTITY"),
    ({}, MODIFY._replace(quantity=0), None, ""),
    ({"max_notional": 700_000}, BUY, None, ""),
    ({"max_notional": 699_999}, BUY, None, "RISK_NOTIONAL"),
    ({"max_notional": 10**9}, MODIFY._replace(quantity=0), None, "RISK_NOTIONAL"),
    ({"max_notional": 700_000}, MARKET, 70_000, ""),
    ({"max_notional": 699_999}, MARKET, 70_000, "RISK_NOTIONAL"),
    ({"max_notional": 10**12}, MARKET, None, "RISK_NO_PRICE"),
    ({"max_notional": 10**12}, MARKET, 0, "RISK_NO_PRICE"),
    ({"max_notional": 10**12}, BUY._replace(price=0), None, "RISK_NO_PRICE"),
    ({"max_notional": 10**12}, FUTURES, 70_000, "RISK_NO_PRICE"),
    ({"max_notional": 700_000}, BUY._replace(price=0), 70_000, ""),
    ({"max_notional": 699_999}, BUY._replace(price=0), 70_000, "RISK_NOTIONAL"),
    ({"price_collar": 5}, BUY, 70_000, ""),
    ({"price_collar": 5}, BUY._replace(price=0), 70_000, "RISK_COLLAR"),
    ({"price_collar": 5}, BUY._replace(price=73_500), 70_000, ""),
    ({"price_collar": 5}, BUY._replace(price=73_501), 70_000, "RISK_COLLAR"),
    ({"price_collar": 5}, BUY._replace(price=66_500), 70_000, ""),
    ({"price_collar": 5}, BUY._replace(price=66_499), 70_000, "RISK_COLLAR"),
    ({"price_collar": 0.1}, BUY._replace(price=1_001), 1_000, ""),
    ({"price_collar": 5}, MODIFY._replace(price=80_000), 70_000, "RISK_COLLAR"),
    ({"price_collar": 5}, BUY, None, "RISK_NO_PRICE"),
    ({"price_collar": 5}, BUY, 0, "RISK_NO_PRICE"),
    ({"price_collar": 5}, MARKET, None, ""),
    ({"price_collar": 5}, FUTURES, 350, "RISK_NO_PRICE"),
    ({"price_collar": 5}, FUTURES._replace(quote_type="3"), None, ""),
]


@pytest.mark.parametrize(("limits", "order", "last", "reason"), TABLE)
def test_a_limit_lets_through_what_it_allows(
    limits: dict[str, Any], order: NewOrder, last: int | None, reason: str
) -> None:
    breach = judged(order, RiskLimits(**limits), last)
    assert (breach.reason if breach else "") == reason


EVERY: dict[str, Any] = {
    "allowed_accounts": frozenset(),
    "allowed_codes": frozenset(),
    "denied_codes": frozenset({"005930"}),
    "max_quantity": 1,
    "max_notional": 1,
    "orders_per_minute": 1,
    "orders_per_day": 1,
    "price_collar": 0.01,
}


def test_every_limit_has_a_case_here() -> None:
    tested = {name for limits, *_ in TABLE for name in limits} | {"orders_per_minute", "orders_per_day"}
    assert tested == {each.name for each in fields(RiskLimits)} == {*EVERY, "read_only"}
    assert set(REASONS) == tested


@pytest.mark.parametrize("function", ["SendOrder", "SendOrderCredit", "SendOrderFO"])
def test_cancellations_pass_everything_but_read_only_and_are_not_counted(function: str) -> None:
    risk = Risk(RiskRules(everybody=RiskLimits(**EVERY)))
    kinds = order_types("SendOrderFO" if function == "SendOrderFO" else "SendOrder")
    cancels = [each.code for each in kinds if each.action == "cancel"]
    assert cancels
    for kind in cancels * 3:
        cancel = CANCEL._replace(function=function, order_type=kind)
        assert risk.check(cancel, "bot", NOON, None, halted=Halt()) is None
        assert risk.admit(cancel, "bot", NOON) is None
        assert not risk.needs_price(cancel, "bot")


def test_the_kill_switch_refuses_what_is_new_and_says_who_threw_it_and_why() -> None:
    for order in (BUY, MARKET, MODIFY, FUTURES, BUY._replace(order_type=99)):
        breach = judged(order, RiskLimits(), halted=Halt())
        assert breach
        assert breach.reason == "HALTED"
        for word in ("ann", "a strange market", "2026-11-23 12:00:00", "koapy release"):
            assert word in breach.text
    assert judged(CANCEL, RiskLimits(), halted=Halt()) is None


TEXTS: list[tuple[dict[str, Any], NewOrder, int | None, list[str]]] = [
    ({"max_quantity": 4}, BUY, None, ["quantity 10 is 6 above max_quantity 4"]),
    ({"max_notional": 500_000}, BUY, None, ["10 x 70,000 won = 700,000 won is 200,000 won above max_notional 500,000"]),
    ({"max_notional": 500_000}, MARKET, 60_000, ["10 x 60,000 won (the last price) = 600,000 won is 100,000"]),
    ({"price_collar": 3}, BUY._replace(price=77_000), 70_000,
     ["+10.00 % away from the last price 70,000", "4,900 won outside", "use 67,900 to 72,100"]),
    ({"price_collar": 3}, BUY._replace(price=60_000), 70_000, ["-14.29 %", "7,900 won outside"]),
    ({"allowed_accounts": frozenset({OTHER})}, BUY, None, ["8000****11", "8000****12"]),
    ({"allowed_codes": frozenset({"000660"})}, BUY, None, ["005930 is not among the 1 codes", "000660"]),
]  # fmt: skip


@pytest.mark.parametrize(("limits", "order", "last", "expected"), TEXTS)
def test_a_breach_says_which_limit_whose_and_by_how_much(
    limits: dict[str, Any], order: NewOrder, last: int | None, expected: list[str]
) -> None:
    rules = {
        "everybody": RiskRules(everybody=RiskLimits(**limits)),
        "account 8000****11": RiskRules(accounts={ACCOUNT: RiskLimits(**limits)}),
        "client bot": RiskRules(clients={"bot": RiskLimits(**limits)}),
    }
    for whose, each in rules.items():
        breach = Risk(each).check(order, "bot", NOON, last, halted=None)
        assert breach
        for part in [*expected, whose]:
            assert part in breach.text
        assert breach.whose == whose
        assert breach.details["limit"] in limits
        assert ACCOUNT not in breach.text + str(breach.details)
        assert OTHER not in breach.text + str(breach.details)


def test_what_the_details_say_is_what_the_numbers_are() -> None:
    breach = judged(BUY, RiskLimits(max_notional=500_000))
    assert breach
    numbers = {name: breach.details[name] for name in ("allowed", "asked", "by")}
    assert numbers == {"allowed": "500000", "asked": "700000", "by": "200000"}


def test_limits_of_others_do_not_matter_and_the_strictest_of_ones_own_is_told() -> None:
    rules = RiskRules(
        everybody=RiskLimits(max_quantity=8),
        accounts={ACCOUNT: RiskLimits(max_quantity=3), OTHER: RiskLimits(read_only=True)},
        clients={"bot": RiskLimits(max_quantity=5), "other": RiskLimits(read_only=True)},
    )
    breach = Risk(rules).check(BUY, "bot", NOON, None, halted=None)
    assert breach
    assert (breach.whose, breach.by) == ("account 8000****11", "7")
    assert Risk(rules).check(BUY._replace(quantity=3), "bot", NOON, None, halted=None) is None


@pytest.mark.parametrize("limits", [{"max_notional": 1}, {"price_collar": 1.5}])
def test_prices_are_asked_for_only_where_a_limit_needs_them(limits: dict[str, Any]) -> None:
    risk = Risk(RiskRules(clients={"bot": RiskLimits(**limits)}))
    priced, unpriced = "price_collar" in limits, "max_notional" in limits
    for quote in quote_types():
        order = BUY._replace(quote_type=quote.code)
        assert risk.needs_price(order, "bot") is (priced if quote.price == "required" else unpriced)
        assert not risk.needs_price(order, "another")
        assert risk.needs_price(order._replace(price=0), "bot") or (priced and quote.price == "0")
    assert risk.wants_prices
    assert not Risk(RiskRules()).wants_prices


@pytest.mark.parametrize(
    "limit", ["max_quantity", "max_notional", "orders_per_minute", "orders_per_day", "price_collar"]
)
@pytest.mark.parametrize("value", [0, -1, float("nan")])
def test_a_limit_is_above_zero(limit: str, value: float) -> None:
    with pytest.raises(ValueError, match=limit):
        RiskLimits(**{limit: value})


@given(price=st.integers(1, 10**7), last=st.integers(1, 10**7), percent=st.floats(0.01, 99, allow_nan=False))
def test_the_collar_proposes_prices_that_it_takes(price: int, last: int, percent: float) -> None:
    limits = RiskLimits(price_collar=percent)
    breach = judged(BUY._replace(price=price), limits, last)
    assert (breach is None) == (abs(price - last) * 100 <= percent * last) or abs(
        abs(price - last) * 100 - percent * last
    ) < 1e-3
    if breach:
        low, high = (int(each.replace(",", "")) for each in re.findall(r"use ([\d,]+) to ([\d,]+)", breach.text)[0])
        for proposed in {low, high}:
            assert judged(BUY._replace(price=proposed), limits, last) is None
        nearest = min(abs(price - low), abs(price - high))
        assert int(breach.by) == nearest


class Watch:
    """A clock of seconds and a wall clock that can be set."""

    def __init__(self) -> None:
        self.seconds = 1000.0
        self.now = NOON

    def __call__(self) -> float:
        return self.seconds

    def pass_by(self, seconds: float) -> None:
        self.seconds += seconds
        self.now += timedelta(seconds=seconds)

    def step(self, seconds: float) -> None:
        """Somebody sets the wall clock."""
        self.now += timedelta(seconds=seconds)


def counting(**limits: Any) -> tuple[Risk, Watch]:
    watch = Watch()
    return Risk(RiskRules(everybody=RiskLimits(**limits)), clock=watch), watch


def sent(risk: Risk, watch: Watch, order: NewOrder = BUY, client: str = "bot") -> Breach | None:
    breach = risk.check(order, client, watch.now, None, halted=None)
    if breach is None:
        risk.admit(order, client, watch.now)
    return breach


def test_orders_of_a_minute_slide_and_the_breach_says_when_the_next_may_go() -> None:
    risk, watch = counting(orders_per_minute=2)
    assert sent(risk, watch) is None
    watch.pass_by(20)
    assert sent(risk, watch, MODIFY) is None
    watch.pass_by(10)
    breach = sent(risk, watch)
    assert breach
    assert breach.reason == "RISK_ORDERS_PER_MINUTE"
    assert breach.wait == "30.000"
    assert "30.0 s" in breach.text
    watch.pass_by(30)
    assert sent(risk, watch) is None
    assert sent(risk, watch)


@pytest.mark.parametrize("step", [-86_400 * 400, -3600, -1, 1, 61, 3600, 86_400 * 400])
def test_setting_the_wall_clock_neither_opens_nor_closes_a_minute(step: int) -> None:
    risk, watch = counting(orders_per_minute=1)
    assert sent(risk, watch) is None
    watch.step(step)
    breach = sent(risk, watch)
    assert breach
    assert float(breach.wait) == 60
    watch.pass_by(60)
    assert sent(risk, watch) is None


def test_orders_of_a_day_are_of_a_korean_day() -> None:
    risk, watch = counting(orders_per_day=2)
    watch.now = datetime.fromisoformat("2026-11-23T14:59:00+00:00")  # a minute to midnight in Seoul
    assert [sent(risk, watch) for _ in range(2)] == [None, None]
    breach = sent(risk, watch)
    assert breach
    assert breach.reason == "RISK_ORDERS_PER_DAY"
    assert "order 3 of 2026-11-23 (Korea) is 1 above orders_per_day 2" in breach.text
    watch.pass_by(60)
    assert sent(risk, watch) is None


def test_a_clock_set_over_midnight_and_back_finds_each_days_count() -> None:
    risk, watch = counting(orders_per_day=1)
    assert sent(risk, watch) is None
    for step in (86_400, -86_400 * 2, 86_400 * 3):
        watch.step(step)
        assert sent(risk, watch) is None
        assert sent(risk, watch)
        watch.step(-step)
        assert sent(risk, watch)


def test_an_order_that_was_never_sent_is_not_counted() -> None:
    risk, watch = counting(orders_per_minute=1, orders_per_day=1)
    for _ in range(3):
        assert risk.check(BUY, "bot", watch.now, None, halted=None) is None
        risk.withdraw(risk.admit(BUY, "bot", watch.now))
    assert sent(risk, watch) is None
    assert sent(risk, watch)


def test_an_order_withdrawn_late_frees_the_day_it_was_counted_in() -> None:
    risk, watch = counting(orders_per_day=1)
    counted = risk.admit(BUY, "bot", watch.now)
    watch.pass_by(86_400)
    assert sent(risk, watch) is None
    risk.withdraw(counted)
    assert sent(risk, watch)
    watch.step(-86_400)
    assert sent(risk, watch) is None


def test_counts_are_each_ones_own() -> None:
    watch = Watch()
    one = RiskLimits(orders_per_day=1)
    rules = RiskRules(everybody=RiskLimits(orders_per_day=4), accounts={ACCOUNT: one, OTHER: one}, clients={"bot": one})
    risk = Risk(rules, clock=watch)
    assert sent(risk, watch) is None
    assert (sent(risk, watch, client="another") or BUY).whose == "account 8000****11"  # type: ignore[union-attr]
    assert (sent(risk, watch, BUY._replace(account=OTHER)) or BUY).whose == "client bot"  # type: ignore[union-attr]
    third = BUY._replace(account="8000000013")
    assert [sent(risk, watch, third, "another") for _ in range(3)] == [None] * 3
    assert (sent(risk, watch, third, "another") or BUY).whose == "everybody"  # type: ignore[union-attr]


def record(
    order: NewOrder, at: datetime, state: OrderState = OrderState.ACCEPTED, returned: int | None = 0
) -> OrderRecord:
    return OrderRecord(
        id=1, key=None, client="bot", time=at, request="r", client_request="", client_screen="", order=order,
        first_sequence=1, state=state, returned=returned, changed=at,
    )  # fmt: skip


def test_a_restart_remembers_what_was_sent_and_only_that() -> None:
    risk, watch = counting(orders_per_minute=2, orders_per_day=4)
    ago = lambda seconds: watch.now - timedelta(seconds=seconds)  # noqa: E731
    risk.restore(
        [
            record(BUY, ago(10), OrderState.INTENDED, None),  # perhaps sent
            record(MODIFY, ago(600), OrderState.REFUSED, 0),
            record(BUY, ago(5), OrderState.REFUSED, None),  # never sent
            record(BUY, ago(3), OrderState.REFUSED, -308),  # OpenAPI+ did not send it
            record(CANCEL, ago(4)),
        ],
        watch.now,
    )
    assert sent(risk, watch) is None
    breach = sent(risk, watch)
    assert breach
    assert (breach.reason, breach.wait) == ("RISK_ORDERS_PER_MINUTE", "50.000")
    watch.pass_by(60)
    assert sent(risk, watch) is None
    watch.pass_by(60)
    assert (sent(risk, watch) or breach).reason == "RISK_ORDERS_PER_DAY"


def test_orders_of_the_future_count_as_sent_now() -> None:
    risk, watch = counting(orders_per_minute=1)
    risk.restore([record(BUY, watch.now + timedelta(hours=1))], watch.now)
    breach = sent(risk, watch)
    assert breach
    assert breach.wait == "60.000"


class Counting(RuleBasedStateMachine):
    """Against the plainest model: all orders with their times, and the wall clock set at will."""

    @initialize(minute=st.integers(1, 4), day=st.integers(1, 8))
    def begin(self, minute: int, day: int) -> None:
        self.minute, self.day = minute, day
        self.risk, self.watch = counting(orders_per_minute=minute, orders_per_day=day)
        self.times: deque[float] = deque()
        self.days: Counter[object] = Counter()
        self.last: Any = None

    @rule(seconds=st.sampled_from([0.5, 20, 59.5, 60, 3600]))
    def pass_by(self, seconds: float) -> None:
        self.watch.pass_by(seconds)

    @rule(seconds=st.sampled_from([-90_000, -3600, -30, 30, 3600, 90_000]))
    def step(self, seconds: int) -> None:
        # Not further than a week from the true date, as ever so far away the counts are forgotten.
        if abs((self.watch.now - NOON).total_seconds() - self.watch.seconds + seconds) < 3 * 86_400:
            self.watch.step(seconds)

    @rule()
    def send(self) -> None:
        recent = sum(at > self.watch.seconds - 60 for at in self.times)
        allowed = recent < self.minute and self.days[self.watch.now.date()] < self.day
        assert (self.risk.check(BUY, "bot", self.watch.now, None, halted=None) is None) == allowed
        if allowed:
            self.last = self.watch.seconds, self.watch.now.date(), self.risk.admit(BUY, "bot", self.watch.now)
            self.times.append(self.last[0])
            self.days[self.last[1]] += 1

    @rule()
    def withdraw(self) -> None:
        if self.last:
            at, day, counted = self.last
            self.times.remove(at)
            self.days[day] -= 1
            self.risk.withdraw(counted)
            self.last = None

    @invariant()
    def never_too_many(self) -> None:
        assert sum(at > self.watch.seconds - 60 for at in self.times) <= self.minute


Counting.TestCase.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
test_counting_is_right_whatever_happens_to_the_clock = Counting.TestCase
