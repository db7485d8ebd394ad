"""The judge finds each kind of wrong: a judge that acquits everybody would make the whole harness worthless."""

from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING, Any

import pytest
from judge import CANCEL, ENDED, NEW, REFUSED, UNDETERMINED, Heard, Intent, judge

if TYPE_CHECKING:
    from collections.abc import Callable


class Case:
    """A run in which all is well: a filled order, a cancelled one, a refused one."""

    def __init__(self) -> None:
        self.intents = [
            Intent("filled", NEW, "005930", 3, 0, "03", "", 2, ENDED, "", [1, 2], [1, 2], {"0000001"}),
            Intent("rested", NEW, "000660", 3, 9, "00", "", 1, ENDED, "", [3, 6], [3, 6], {"0000002"}),
            Intent("cancel", CANCEL, "000660", 3, 0, "00", "0000002", 1, ENDED, "", [4, 5], [4, 5], {"0000003"}),
            Intent("refused", NEW, "035420", 3, 0, "03", "", 1, REFUSED, "no", [], [], set()),
        ]
        filled = {"open": 0, "filled": 3, "amount": 300}
        nothing = {"open": 0, "filled": 0, "amount": 0}
        self.ledger: dict[str, Any] = {
            "orders": [
                order("0000001", "005930", "new", "") | filled,
                order("0000002", "000660", "new", "") | nothing,
                order("0000003", "000660", "cancel", "0000002") | nothing,
            ]
        }
        self.journal: list[dict[str, Any]] = [
            row(1, "0000001", "filled") | filled,
            row(2, "0000002", "cancelled") | nothing,
            row(3, "0000003", "confirmed", CANCEL, "0000002") | nothing,
            row(4, "", "refused") | nothing,
        ]
        told = [
            ("0000001", "3"),
            ("0000001", "0"),
            ("0000002", "3"),
            ("0000003", "0"),
            ("0000003", "0"),
            ("0000002", "0"),
        ]
        self.heard = Heard(
            "one",
            [{"sequence": at, "number": of, "open": rest, "recovered": False} for at, (of, rest) in enumerate(told, 1)],
        )
        self.heard.journals.add("j")
        self.last = 6

    def judged(self) -> list[str]:
        return judge(self.intents, self.ledger, self.journal, [self.heard], self.last)


def order(number: str, code: str, action: str, original: str) -> dict[str, Any]:
    return {"number": number, "code": code, "quantity": 3, "action": action, "original": original}


def row(order: int, number: str, state: str, order_type: int = NEW, original: str = "") -> dict[str, Any]:
    return {"id": order, "number": number, "state": state, "order_type": order_type, "original": original}


def test_all_is_well() -> None:
    assert Case().judged() == []


def _double(case: Case) -> None:
    case.ledger["orders"].append(deepcopy(case.ledger["orders"][0]) | {"number": "0000004"})


def _lose(case: Case) -> None:
    del case.ledger["orders"][0]


def _refused_and_stands(case: Case) -> None:
    case.intents[0].outcome = REFUSED


def _unresolved(case: Case) -> None:
    case.intents[0].outcome = "unresolved"


def _two_numbers(case: Case) -> None:
    case.intents[0].numbers.add("0000002")


def _order_of_nobody(case: Case) -> None:
    case.ledger["orders"].append(order("0000009", "051910", "new", "") | {"open": 0, "filled": 3, "amount": 1})


def _events_twice(case: Case) -> None:
    case.intents[0].sequences = [1, 2, 2]


def _events_back(case: Case) -> None:
    case.intents[0].chejan = [2, 1]


def _gap(case: Case) -> None:
    del case.heard.events[3]


def _repeated(case: Case) -> None:
    case.heard.events.insert(0, case.heard.events[0])


def _another_journal(case: Case) -> None:
    case.heard.journals.add("k")


def _end_missing(case: Case) -> None:
    case.last = 7


def _last_event_wrong(case: Case) -> None:
    case.heard.events[1]["open"] = "1"


def _journal_open(case: Case) -> None:
    case.journal[0]["state"] = "partly filled"


def _journal_amount(case: Case) -> None:
    case.journal[0]["amount"] = 299


def _journal_twice(case: Case) -> None:
    case.journal.append(dict(case.journal[0]))


def _journal_in_doubt(case: Case) -> None:
    case.journal[3]["state"] = "sent"


def _journal_invents(case: Case) -> None:
    case.journal.append(row(5, "0000008", "filled") | {"open": 0, "filled": 1, "amount": 1})


def _cancel_invented(case: Case) -> None:
    case.journal.append(row(5, "", "confirmed", CANCEL, "0000001"))


def _cancel_unknown(case: Case) -> None:
    del case.journal[2]


@pytest.mark.parametrize(
    ("harm", "says"),
    [
        (_double, "doubled"),
        (_lose, "lost"),
        (_refused_and_stands, "refused, and stands"),
        (_unresolved, "no end"),
        (_two_numbers, "several numbers"),
        (_order_of_nobody, "nobody's order"),
        (_events_twice, "out of order"),
        (_events_back, "out of order"),
        (_gap, "missing [4]"),
        (_repeated, "twice [1]"),
        (_another_journal, "journals ['j', 'k']"),
        (_end_missing, "missing [7]"),
        (_last_event_wrong, "heard last that 1 of 0000001"),
        (_journal_open, "partly filled"),
        (_journal_amount, "'amount': (299, 300)"),
        (_journal_twice, "0000001 2 times"),
        (_journal_in_doubt, "is sent and has no number"),
        (_journal_invents, "the journal has 0000008"),
        (_cancel_invented, "order 5 is confirmed and has no number"),
        (_cancel_unknown, "0000003 0 times"),
    ],
)
def test_each_wrong_is_found(harm: Callable[[Case], None], says: str) -> None:
    case = Case()
    harm(case)
    assert any(says in text for text in case.judged()), case.judged()


def test_what_is_named_undetermined_may_be_either_way() -> None:
    case = Case()
    case.intents[3].outcome = UNDETERMINED
    case.journal[3]["state"] = "undetermined"
    assert case.judged() == []


def test_a_cancel_that_lost_its_answer_needs_no_number() -> None:
    case = Case()
    case.journal[2]["number"] = ""
    assert case.judged() == []
    case.journal[2]["state"] = "undetermined"
    assert case.judged() == []


def test_the_amount_of_what_was_recovered_may_be_an_average_cut_to_a_won() -> None:
    case = Case()
    case.journal[0]["amount"] = 298
    assert case.judged()
    case.heard.events[0]["recovered"] = True
    assert case.judged() == []
    case.journal[0]["amount"] = 297
    assert case.judged()
