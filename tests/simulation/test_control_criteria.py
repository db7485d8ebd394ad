"""Conditions of a user's own file find what they say, once and as the market moves."""

from __future__ import annotations

import re
import textwrap
from pathlib import Path

import pytest

from koapy.simulation.criteria import NAMES, ConditionError, comparison, load_conditions
from koapy.simulation.model import Bar

FILE = """
[[condition]]
name = "급등주"
where = ["change >= 0.5", "volume > 0.5 * volume_average(5)"]

[[condition]]
name = "추세"
market = "KOSPI"
kind = "stock"
where = ["price > average(5)", "average(5) > average(20)"]
order = "-value"
first = 3

[[condition]]
name = "모두"
where = ["price > 0"]

[[condition]]
name = "상승"
where = ["change > 0"]
"""


def write(tmp_path, text):
    file = tmp_path / "conditions.toml"
    file.write_text(textwrap.dedent(text), encoding="utf-8")
    return file


@pytest.fixture
def program(start, tmp_path):
    found = start(market_size=120, conditions=load_conditions(write(tmp_path, FILE))).login()
    found.call("GetConditionLoad")
    found.advance(1)
    return found


def search(program, name, index, kind=0, screen="4000"):
    assert program.call("SendCondition", screen, name, index, kind) == 1
    [hits] = program.named("OnReceiveTrCondition", 0.02)
    assert hits.arguments[2:] == (name, index, 0)
    return hits.arguments[1].split(";")[:-1]


def facts(program, code):
    exchange = program.world.exchange
    return exchange.instruments[code], exchange.quote(code), exchange.daily(code)


def test_names_are_those_of_the_file(program):
    assert program.call("GetConditionNameList") == "000^급등주;001^추세;002^모두;003^상승;"


def test_all_lines_hold_for_what_is_found_and_not_for_the_others(program):
    found = search(program, "급등주", 0)
    assert found == sorted(found)
    assert 0 < len(found) < 60
    for code in program.world.exchange.instruments:
        _, quote, days = facts(program, code)
        volume = sum(day.volume for day in days[-5:]) / 5
        assert (code in found) == (quote.rate >= 0.5 and quote.volume > 0.5 * volume)


def test_averages_markets_kinds_and_the_first_of_an_order(program):
    found = search(program, "추세", 1)
    fitting = []
    for code in program.world.exchange.instruments:
        issue, quote, days = facts(program, code)
        five, twenty = ((sum(day.close for day in days[1 - n :]) + quote.last) / n for n in (5, 20))
        if issue.market == "KOSPI" and issue.kind == "stock" and quote.last > five > twenty:
            fitting.append((-quote.value, code))
    assert len(fitting) > 3
    assert found == sorted(code for _, code in sorted(fitting)[:3])


def test_codes_come_in_and_go_out_as_the_market_moves(program):
    inside = set(search(program, "상승", 3, kind=1))
    signals = [each.arguments for each in program.advance(90) if each.name == "OnReceiveRealCondition"]
    assert {kind for _, kind, _, _ in signals} == {"I", "D"}
    for code, kind, name, index in signals:
        assert (name, index) == ("상승", "003")
        assert (code in inside) == (kind == "D")
        inside ^= {code}
    program.call("SendConditionStop", "4000", "상승", 3)
    assert program.named("OnReceiveRealCondition", 15) == []


def test_too_many_hits_bring_no_signals(program):
    assert len(search(program, "모두", 2, kind=1)) > 100
    assert program.named("OnReceiveRealCondition", 15) == []


def test_a_condition_may_be_searched_once_a_minute_and_ten_at_once(start, tmp_path):
    text = "".join(f'[[condition]]\nname = "c{number}"\nwhere = ["change > {number}"]\n' for number in range(12))
    program = start(conditions=load_conditions(write(tmp_path, text))).login()
    program.call("GetConditionLoad")
    program.advance(1)
    sent = []
    for number in range(11):
        sent.append(program.call("SendCondition", f"40{number:02d}", f"c{number}", number, 1))
        program.advance(1)
    assert sent == [1] * 10 + [0]
    assert program.call("SendCondition", "4000", "c0", 0, 1) == 0
    program.call("SendConditionStop", "4003", "c3", 3)
    assert program.call("SendCondition", "4010", "c10", 10, 1) == 1
    program.advance(61)
    assert program.call("SendCondition", "4000", "c0", 0, 1) == 1


class Past:
    """An exchange of one issue with a past of some days."""

    def __init__(self, *closes):
        self._bars = [Bar(None, close, close + 2, close - 2, close, 10 * close, 0) for close in closes]

    def daily(self, code):
        return self._bars


@pytest.mark.parametrize(
    ("line", "holds"),
    [
        ("price >= 110", True),
        ("price > 110", False),
        ("price < average(3)", False),
        ("average(3) > 106", True),
        ("average(3) >= 107", False),
        ("high(2) <= 107", True),
        ("low(2) < 102", False),
        ("low(3) < 99", True),
        ("close(1) >= 105", True),
        ("close(3) < 101", True),
        ("volume_average(2) > 1049", False),
        ("volume > 0.5 * volume_average(2)", True),
        ("1.1 * close(3) <= price", True),
        ("price > average(9)", False),
        ("price <= average(9)", False),
        ("change > 9.9", True),
        ("-1 < change", True),
    ],
)
def test_lines(line, holds):
    class Quote:
        code, last, volume, rate = "005930", 110, 600, 10.0

    # average(3) is of 104, 105 and today's 110.
    assert comparison(line).holds(Past(100, 104, 105), Quote()) is holds


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[[condition]]\nwhere = []", "condition 1: name = ''"),
        ("[[condition]]\nname = 'a^b'", "a name without ^ and ;"),
        ("[[condition]]\nname = 'a'\nwhere = ['price']", "'price': two sides"),
        ("[[condition]]\nname = 'a'\nwhere = ['prize > 1']", "'prize': a number or one of price,"),
        ("[[condition]]\nname = 'a'\nwhere = ['average > 1']", "'average': a number or one of"),
        ("[[condition]]\nname = 'a'\nwhere = ['2 * > 1']", "'2 *': a number"),
        ("[[condition]]\nname = 'a'\nwhere = ['average(0) > 1']", "1 to 700 days"),
        ("[[condition]]\nname = 'a'\norder = 'size'", "'size': a number"),
        ("[[condition]]\nname = 'a'\nlimit = 3", "limit: only first, kind"),
        ("[[condition]]\nname = 'a'\nwhere = 'price > 1'", "where = 'price > 1': a list"),
        ("[[condition]]\nname = 'a'\nfirst = 0", "first = 0: a number from 1 on"),
        ("[[condition]]\nname = 'a'\nmarket = 'kosdaq'", "market = 'kosdaq': one of KOSPI, KOSDAQ"),
        ("[[condition]]\nname = 'a'\nkind = 'fonds'", "kind = 'fonds': one of stock, preferred"),
        ("[[condition]]\nname = 'a'\norder = 3", "order = 3: a text"),
        ("condition = [1]", "condition 1: 1: [[condition]]"),
        ("[[condition]]\nname = 'a'\n[[condition]]\nname = 'a'", "two conditions are called a"),
        ("conditions = 3", "[[condition]] is wanted"),
        ("[[condition", "conditions.toml:"),
    ],
)
def test_a_file_that_cannot_be_says_what_would_be_right(tmp_path, text, said):
    with pytest.raises(ConditionError, match=re.escape(said)):
        load_conditions(write(tmp_path, text))
    with pytest.raises(ConditionError, match="No such file"):
        load_conditions(tmp_path / "none.toml")


def test_the_documentation_tells_every_name_and_its_example_loads(tmp_path):
    page = Path(__file__).parents[2].joinpath("docs/simulation.md").read_text(encoding="utf-8")
    part = page[page.index("## Conditions") :]
    shown = part[part.index("    [[condition]]") :].partition("\n\n|")[0]
    assert len(load_conditions(write(tmp_path, shown))) == 2
    for name in NAMES:
        assert f"`{name}`" in part
