"""Which kinds of investors bought which options: figures of the simulation's own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from koapy.simulation import forms
from koapy.simulation.figures.contract import Kind
from koapy.simulation.figures.investors import Investor, split, total
from koapy.simulation.tr.contract_words import DERIVED
from koapy.simulation.tr.contracts import converted, money, of_month
from koapy.simulation.tr.days import day_number
from koapy.simulation.tr.registry import Source, responder
from koapy.simulation.tr.vocabulary import spoken

if TYPE_CHECKING:
    from collections.abc import Mapping

    from koapy.simulation.figures.investors import Flows
    from koapy.simulation.model import Bar
    from koapy.simulation.tr.derived import Derived
    from koapy.simulation.tr.request import Answer, Request

_GROUPS: Mapping[str, tuple[Investor, ...]] = {
    "개인": (Investor.PERSON,),
    "외국인": (Investor.FOREIGN,),
    "금융투자": (Investor.SECURITIES,),
    "투신": (Investor.TRUST, Investor.PRIVATE_FUND),
    "은행": (Investor.BANK,),
    "기타금융": (Investor.OTHER_FINANCE,),
    "보험": (Investor.INSURANCE,),
    "연기금등": (Investor.PENSION, Investor.STATE),
    "기타법인": (Investor.COMPANY, Investor.RESIDENT_FOREIGN),
}


def _traded(it: Derived, bar: Bar | None) -> Flows:
    return split(
        it.contract.code, bar.start.date() if bar else it.day, bar.volume if bar else 0, bar.value if bar else 0
    )


def _day(it: Derived, number: int | None) -> Bar | None:
    """A contract's bar of a day (YYYYMMDD), of today by default."""
    if number is None:
        return it.bar
    return next((bar for bar in it.days() if day_number(bar.start.date()) == number), None)


def _pairs(request: Request) -> list[tuple[Derived, Derived]]:
    return list(zip(of_month(request, Kind.CALL), of_month(request, Kind.PUT), strict=True))


def _sides(request: Request, call: Derived, put: Derived) -> dict[str, str]:
    """What both sides of a strike have under their FIDs."""
    left, right = (spoken(request.tr.multi, DERIVED, each) for each in (call, put))
    return {name: (right if name.startswith("풋_") else left)[name] for name in left}


@responder("opt50038", source=Source.OWN)
def at_expiry(request: Request) -> Answer:
    """투자자별만기손익차트: what one kind of investors bought at each strike, and what it would bring now."""
    kinds = _GROUPS[request.label("투자자구분") or "개인"]
    for name in ("일자구분", "수량금액구분"):
        request.label(name)
    number = request.date("일자")
    rows = []
    for call, put in _pairs(request):
        row = _sides(request, call, put) | {"ATM구분": money(call), "지수환산": converted(call)}
        for it, head in ((call, ""), (put, "풋_")):
            flow = _traded(it, _day(it, number)).of(*kinds)
            paid = forms.rounded(flow.bought_value * it.contract.scale, max(flow.bought, 1) * it.contract.multiplier)
            gain = flow.net * (it.last - paid) * it.contract.multiplier // it.contract.scale
            row |= {
                f"{head}평가손익": str(forms.millions(gain)),
                f"{head}매입단가": it.plain(paid),
                f"{head}투자자별순매수수량": str(flow.net),
            }
        rows.append(row)
    return request.listed(rows)


@responder("opt50039", source=Source.OWN)
def all_kinds(request: Request) -> Answer:
    """투자자별포지션종합: what every kind bought more than it sold at each strike."""
    by_value = request.choice("수량금액구분", "1") == "2"
    request.label("일자구분")
    number = request.date("일자")
    rows = []
    for call, put in _pairs(request):
        row = _sides(request, call, put) | {"지수환산": converted(call), "풋_ATM구분": money(put)}
        for it, head in ((call, ""), (put, "풋_")):
            flows = _traded(it, _day(it, number))
            row[f"{head}기간중주가등락"] = forms.net(it.last - it.base)
            for name, kinds in _GROUPS.items():
                flow = total(flows.of(kind) for kind in kinds)
                row[f"{head}{name}"] = str(forms.millions(flow.net_value) if by_value else flow.net)
        rows.append(row)
    return request.listed(rows)
