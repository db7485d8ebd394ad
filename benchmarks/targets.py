"""What is aimed at, as ratios with the ceiling of the same run, and whether it is met."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

Medians = "Mapping[str, Mapping[str, Mapping[str, float]]]"
"""Of each case, each server, each figure."""

CEILING, OWN, NOTHING = "ceiling", "own", "nothing"
"""What a figure is divided by: the bare server's, another one of the gateway's own, or nothing."""


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table."""

    case: str
    title: str
    figure: str
    unit: str
    target: float | None = None
    """The ratio, or without one the figure, that is aimed at; None: nothing is."""
    at_most: bool = False
    """Whether less is better."""
    by: str = CEILING
    base: str = ""
    """The figure that it is divided by, where that has another name."""


@dataclass(frozen=True, slots=True)
class Result:
    """A row with its figures."""

    row: Row
    gateway: float
    bare: Mapping[str, float]
    """By the ceiling's name."""
    ratio: float | None
    """None where there is nothing to divide by."""

    @property
    def is_met(self) -> bool | None:
        """None where nothing is aimed at."""
        if self.row.target is None:
            return None
        value = self.gateway if self.row.by == NOTHING else self.ratio
        if value is None:
            return None
        return value <= self.row.target if self.row.at_most else value >= self.row.target


def _fan_out(case: str, title: str) -> list[Row]:
    rows = [
        Row(case, f"{title}, {count} subscribers, {kind}", f"{count}.{figure}.rate", "msg/s", target)
        for kind, figure in (("flat out", "flat"), ("flat out, yielding", "yielding"))
        for count, target in ((1, None), (8, None), (64, 0.9), (512, 0.9))
    ]
    rows += [
        Row(case, f"{title}, {count} subscribers, equal load: p99", f"{count}.steady.p99", "ms", at_most=True)
        for count in (1, 8, 64, 512)
    ]
    rows += [
        Row(
            case, f"{title}, {count} subscribers, equal load: processor", f"{count}.steady.cost", "us/msg", at_most=True
        )
        for count in (64, 512)
    ]
    return rows


def _batched() -> list[Row]:
    rows = [
        Row("batched", f"batches to {count}, {kind}", f"batch.{count}.{figure}", "events/s", target, base=base)
        for count, target in ((8, None), (1, None), (64, 10.0))
        for kind, figure, base in (
            ("flat out", "flat.rate", f"message.{count}.flat.rate"),
            ("flat out, yielding", "yielding.rate", f"message.{count}.yielding.rate"),
            ("sustained with p99 < 100 ms", "kept", f"message.{count}.kept"),
        )
    ]
    return rows + [
        Row(
            "batched",
            f"batches to {count}, equal load: {title} against RealCall's",
            f"batch.{count}.steady.{figure}",
            unit,
            1.0 if figure == "p99" else None,
            at_most=True,
            by=OWN,
            base=f"message.{count}.steady.{figure}",
        )
        for count in (8, 1, 64)
        for title, figure, unit in (("p99", "p99", "ms"), ("processor", "cost", "us/event"))
    ]


ROWS = (
    Row("call", "Call, 1 at a time", "state.1.rate", "/s", 0.9),
    Row("call", "Call, 32 at a time", "state.32.rate", "/s", 0.9),
    Row("call", "Call of a master's look-up, 1 at a time", "master.1.rate", "/s", 0.9),
    Row("call", "Call of a master's look-up, 32 at a time", "master.32.rate", "/s", 0.9),
    Row("call", "Call, 32 at a time, against no hop", "state.32.rate", "/s", base="without-hop.32.rate"),
    Row("call", "Call, 32 at a time: processor", "state.32.cost", "us", at_most=True),
    *_fan_out("listen", "Listen"),
    *_fan_out("realcall", "RealCall"),
    Row("rate", "Listen, highest rate to 64 with p99 < 100 ms", "Listen.64", "ticks/s", 0.7),
    Row("rate", "RealCall, highest rate to 64 with p99 < 100 ms", "RealCall.64", "ticks/s", 0.7),
    Row("rate", "Listen, highest rate to 8 with p99 < 100 ms", "Listen.8", "ticks/s"),
    Row("control", "control's thread, nobody listens", "Listen.0", "ticks/s"),
    Row("control", "control's thread, 1 listens (Listen)", "Listen.1", "ticks/s"),
    Row("control", "control's thread, 64 listen (Listen)", "Listen.64", "ticks/s", 0.5),
    Row("control", "control's thread, 64 listen (RealCall)", "RealCall.64", "ticks/s"),
    Row("listen", "control's thread, yielding, 64 listen (Listen)", "64.yielding.ticks", "ticks/s", 0.5),
    Row(
        "control",
        "RealCall: the control's processor for a tick, with 64 against 1",
        "RealCall.64.cost",
        "us",
        1.1,
        at_most=True,
        by=OWN,
        base="RealCall.1.cost",
    ),
    *_batched(),
    *(
        Row("client", f"{client}, {style}{what}", f"{name}.{style}.{figure}", unit, at_most=figure == "cost")
        for client, name in (("Client", "waiting"), ("AsyncClient", "awaited"))
        for style in ("single", "batches", "numpy", "pandas")
        for what, figure, unit in (("", "rate", "ticks/s"), (": processor", "cost", "us/tick"))
    ),
    *(
        Row("query", f"TransactionCall, {pages}, against cell by cell{whose}", f"rows.{count}", "rows/s", 5.0, **by)
        for count, pages in ((1, "1 page"), (20, "20 pages"))
        for whose, by in (
            (" by the same gateway", {"by": OWN, "base": f"cells.{count}"}),
            ("", {"base": f"cells.{count}"}),
        )
    ),
    Row("query", "TransactionCall, 20 pages, against ready bytes", "rows.20", "rows/s"),
    Row("bidirectional", "BidirectionalListen, round trips", "rate", "/s", 0.9),
    Row("order", "OrderCall, 1 at a time", "1.rate", "/s", 0.5),
    Row("order", "OrderCall, 32 at a time", "32.rate", "/s", 0.5),
    Row("order", "OrderCall, 32 at a time: processor", "32.cost", "us", at_most=True),
    Row("idle", "an idle stream's memory", "memory", "KB", 1.3, at_most=True),
    Row("idle", "idle streams: processor", "cpu", "cores", at_most=True),
    Row(
        "idle",
        "Call's p99 beside idle streams, against without",
        "p99.beside",
        "ms",
        1.1,
        at_most=True,
        by=OWN,
        base="p99.without",
    ),
    Row("busy", "a busy stream's processor, 1,000 ticks/s", "cost", "us/msg", at_most=True),
    Row("busy", "a busy stream's memory", "memory", "KB", at_most=True),
    Row("ready", "process start to first answer", "seconds", "s", 1.5, at_most=True),
    Row("import", "import koapy", "milliseconds", "ms", 50.0, at_most=True, by=NOTHING),
    *(
        Row("codes", f"a message's processor, {each} codes in all", f"{each}.cost", "us", at_most=True)
        for each in (20, 200)
    ),
    Row("codes", "a message's processor, 2,000 codes in all", "2000.cost", "us", at_most=True),
    Row(
        "codes",
        "a message's cost with 2,000 codes, against 20",
        "2000.cost",
        "us",
        1.25,
        at_most=True,
        by=OWN,
        base="20.cost",
    ),
)


def results(medians: Mapping[str, Mapping[str, Mapping[str, float]]], subject: str) -> list[Result]:
    """The rows of what has been measured, for one of the gateways."""
    found = []
    for row in ROWS:
        servers = medians.get(row.case, {})
        own = servers.get(subject, {})
        if row.figure not in own:
            continue
        base = row.base or row.figure
        bare = {name: figures[base] for name, figures in servers.items() if name.startswith("bare") and base in figures}
        divisor = (
            own.get(base) if row.by == OWN else bare.get("bare-uvloop", bare.get("bare")) if row.by == CEILING else None
        )
        ratio = own[row.figure] / divisor if divisor else None
        found.append(Result(row, own[row.figure], bare if row.by == CEILING else {}, ratio))
    return found


def table(found: list[Result]) -> str:
    """For people, as Markdown: the figures, their ratio with the ceiling, and what is aimed at."""
    lines = [
        "| case | koapy | bare | bare, uvloop | ratio | target | |",
        "| --- | ---: | ---: | ---: | ---: | ---: | --- |",
    ]
    for each in found:
        row = each.row
        ceilings = " | ".join(_figure(each.bare.get(name)) for name in ("bare", "bare-uvloop"))
        sign = "<=" if row.at_most else ">="
        target = "" if row.target is None else f"{sign} {row.target:g}"
        met = {None: "", True: "met", False: "**not met**"}[each.is_met]
        ratio = "" if each.ratio is None else f"{each.ratio:.2f}"
        unit = f" {row.unit}"
        lines.append(f"| {row.title} | {_figure(each.gateway)}{unit} | {ceilings} | {ratio} | {target} | {met} |")
    return "\n".join(lines)


def _figure(value: float | None) -> str:
    if value is None:
        return ""
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}"
