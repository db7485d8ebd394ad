"""Judges clients, a journal and its event streams by the ledger of the exchange. Pure: data in, words out."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import Any

ENDED, REFUSED, UNDETERMINED, UNRESOLVED = "ended", "refused", "undetermined", "unresolved"
NEW, CANCEL = 1, 3


@dataclass(slots=True)
class Intent:
    """One order that a client wanted, under one key, and what it was told of it."""

    key: str
    order_type: int
    code: str
    quantity: int
    price: int
    quote_type: str
    original: str = ""
    attempts: int = 0
    outcome: str = UNRESOLVED
    text: str = ""
    """Of the status that ended it, or of the last one."""
    sequences: list[int] = field(default_factory=list)
    """Of all events of the last attempt."""
    chejan: list[int] = field(default_factory=list)
    """Of the order events among them."""
    numbers: set[str] = field(default_factory=set)
    """주문번호 in any answer to it, of all attempts."""


@dataclass(slots=True)
class Heard:
    """What one subscriber to the order events has heard, over all its connections."""

    name: str
    events: list[dict[str, Any]] = field(default_factory=list)
    """`sequence`, `recovered` and `number` each; order events `original`, `state`, `open` and `filled` too."""
    journals: set[str] = field(default_factory=set)
    connections: int = 0


def judge(
    intents: list[Intent], ledger: dict[str, Any], journal: list[dict[str, Any]], subscribers: list[Heard], last: int
) -> list[str]:
    """What is wrong; nothing, when all is well. `last` is the journal's last sequence number."""
    by_number = {order["number"]: order for order in ledger["orders"]}
    return [
        *_orders(intents, ledger["orders"]),
        *_streams(intents),
        *(text for each in subscribers for text in _subscriber(each, last)),
        *(text for each in subscribers for text in _told(each, by_number)),
        *_journal(journal, by_number, {event["number"] for event in subscribers[0].events if event["recovered"]}),
    ]


def mine(intent: Intent, orders: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The orders of the ledger that this intent may have made."""
    if intent.order_type == CANCEL:
        return [each for each in orders if each["action"] == "cancel" and each["original"] == intent.original]
    return [
        each
        for each in orders
        if each["action"] == "new" and (each["code"], each["quantity"]) == (intent.code, intent.quantity)
    ]


def _orders(intents: list[Intent], orders: list[dict[str, Any]]) -> list[str]:
    """No order lost, none doubled."""
    wrong = []
    for intent in intents:
        found = mine(intent, orders)
        name = f"{intent.key} ({intent.outcome} after {intent.attempts} attempts: {intent.text!r})"
        if intent.outcome == UNRESOLVED:
            wrong.append(f"no end: {name}")
        if len(found) > 1:
            wrong.append(f"doubled: {name} is in the ledger {len(found)} times: {[each['number'] for each in found]}")
        if not found and (intent.outcome == ENDED or intent.numbers):
            wrong.append(f"lost: {name} was told {sorted(intent.numbers)} and is not in the ledger")
        # Of several cancels of one order the ledger says only that one of them was taken.
        if found and intent.outcome == REFUSED and intent.order_type == NEW:
            wrong.append(f"refused, and stands: {name} is {found[0]['number']}")
        if len(intent.numbers) > 1 and intent.order_type == NEW:
            wrong.append(f"several numbers: {name} was told {sorted(intent.numbers)}")
        if found and intent.numbers and intent.order_type == NEW and found[0]["number"] not in intent.numbers:
            wrong.append(f"another's number: {name} was told {sorted(intent.numbers)}, is {found[0]['number']}")
    known = {each["number"] for intent in intents for each in mine(intent, orders)}
    wrong += [f"nobody's order: {each['number']} of {each['code']}" for each in orders if each["number"] not in known]
    return wrong


def _streams(intents: list[Intent]) -> list[str]:
    """Each event of an order comes once; its order events in the order in which they happened.

    Those that overtook the answer come after it, so the numbers of all events together may go down.
    """
    return [
        f"out of order: {intent.key} was told {intent.sequences}, order events {intent.chejan}"
        for intent in intents
        if intent.chejan != sorted(intent.chejan)
        or len(intent.sequences) != len(set(intent.sequences))
        or (intent.outcome == ENDED and 0 in intent.sequences)
    ]


def _subscriber(heard: Heard, last: int) -> list[str]:
    """Who resumes hears 1, 2, 3, ... without gaps."""
    numbers = [each["sequence"] for each in heard.events]
    if numbers == list(range(1, last + 1)) and len(heard.journals) == 1:
        return []
    counted = Counter(numbers)
    missing = [number for number in range(1, last + 1) if number not in counted]
    twice = [number for number, count in counted.items() if count > 1]
    return [
        f"{heard.name} heard {len(numbers)} events of {last}, journals {sorted(heard.journals)}: "
        f"missing {missing[:10]}, twice {twice[:10]}, in order {numbers == sorted(numbers)}"
    ]


def _told(heard: Heard, by_number: dict[str, dict[str, Any]]) -> list[str]:
    """The last thing that was told of each order is what became of it."""
    last: dict[str, dict[str, Any]] = {}
    for event in heard.events:
        if event["number"] and event.get("open", "") != "":
            last[event["number"]] = event
        if event.get("state") == "확인" and event["original"] in by_number:
            # What was cancelled in full is closed by that, whether its own closing signal came or not.
            last[event["original"]] = event | {"open": "0"}
    wrong = []
    for number, order in by_number.items():
        event = last.get(number)
        if order["action"] == "cancel":
            continue  # told or not, its original's last event says what it did
        if event is None:
            wrong.append(f"{heard.name} never heard of {number}")
        elif int(event["open"]) != order["open"]:
            wrong.append(f"{heard.name} heard last that {event['open']} of {number} is open, it is {order['open']}")
    wrong += [
        f"{heard.name} heard of {number}, which is not in the ledger" for number in last.keys() - by_number.keys()
    ]
    return wrong


def _journal(journal: list[dict[str, Any]], by_number: dict[str, dict[str, Any]], recovered: set[str]) -> list[str]:
    """The journal agrees with the ledger about every order with a number, and is in doubt about none without.

    A cancel whose answer was lost has no number: no TR lists cancels. Its original says that it was carried out. Of an
    order whose fills were missed (`recovered`) the lists give the average price, cut to a won.
    """
    wrong = []
    rows = defaultdict(list)
    cancels = {each["original"]: each["number"] for each in by_number.values() if each["action"] == "cancel"}
    for row in journal:
        number = row["number"]
        if not number and row["order_type"] == CANCEL and row["state"] == "confirmed":
            number = cancels.get(row["original"], "")
        if number:
            rows[number].append(row)
        elif row["state"] not in {"refused", "undetermined"}:
            wrong.append(f"the journal's order {row['id']} is {row['state']} and has no number")
    wrong += [f"the journal has {number}, which is not in the ledger" for number in rows.keys() - by_number.keys()]
    undetermined = {row["original"] for row in journal if row["state"] == "undetermined"}
    for number, order in by_number.items():
        found = rows.get(number, [])
        if not found and order["action"] == "cancel" and order["original"] in undetermined:
            continue  # named as undetermined
        if len(found) != 1:
            wrong.append(f"the journal has {number} {len(found)} times")
            continue
        row, state = found[0], _state(order, number in cancels)
        expected: dict[str, Any] = {"state": state}
        if order["action"] == "new":
            expected |= {name: order[name] for name in ("open", "filled", "amount")}
        if number in recovered and abs(row["amount"] - order["amount"]) < max(1, order["filled"]):
            expected.pop("amount", None)
        if different := {name: (row[name], value) for name, value in expected.items() if row[name] != value}:
            wrong.append(f"the journal's {number} ({order['action']}), journal and ledger: {different}")
    return wrong


def _state(order: dict[str, Any], cancelled: bool) -> str:
    if order["action"] == "cancel":
        return "confirmed"
    if order["open"]:
        return "partly filled" if order["filled"] else "accepted"
    return "cancelled" if cancelled and order["filled"] < order["quantity"] else "filled"
