"""Reading a folder of recordings: what `samples.jsonl` is made from."""

from __future__ import annotations

import csv
import json
import re
from collections import defaultdict
from typing import TYPE_CHECKING, Any

from conformance.samples import CONTROL, GUIDE, STRIPPED, TWIN, Field, kept, numbered
from koapy.openapi.realtype import real_type, real_types
from koapy.openapi.tr import is_tr, tr

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

Value = tuple[Field, str, str, str]
"""Field, server, how it was read, value."""

_LOST = 822
"""A FID that ticks had until 2022."""


def collect(golden: Path, facts: Path, *excerpts: Path) -> list[dict[str, Any]]:
    """Read the recordings and return the lines to keep of them.

    Args:
        golden: folder with tr.jsonl, realtime.jsonl, chejan.jsonl, ... and rest/.
        facts: folder with rest/field.csv and rest/realtime.csv, which say what of the REST API is what of OpenAPI+.
        excerpts: files of answers to TRs that say of each how it was read.
    """
    found: dict[tuple[str, ...], dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for field, server, read, value in (*_all(golden, facts), *_excerpts(excerpts)):
        found[field.kind, field.name, field.part, server, read][field.field].append(value)
    return [
        {
            "kind": kind, "name": name, "part": part, "server": server, "read": read,
            "fields": {
                key: list(dict.fromkeys(values)) if kind == "message" else kept(Field(kind, name, part, key), values)
                for key, values in fields.items()
            },
        }
        for (kind, name, part, server, read), fields in sorted(found.items())
    ]  # fmt: skip


def _all(golden: Path, facts: Path) -> Iterator[Value]:
    for line in _lines(golden / "tr.jsonl"):
        yield from _tr(line)
    for line in _lines(golden / "realtime.jsonl"):
        yield from _real(line)
    for line in _lines(golden / "chejan.jsonl"):
        yield from _chejan(line["gubun"], line["values"], _server(line["note"], line["source"]), _read(line["note"]))
    for line in _lines(golden / "function.jsonl"):
        yield from _function(line)
    for line in _lines(golden / "condition.jsonl"):
        for name, value in line.get("args", {}).items():
            if line.get("event") and isinstance(value, str):
                yield Field("event", line["event"], "", name), "", CONTROL, value
    for line in _lines(golden / "message.jsonl"):
        yield Field("message", _server(line["note"]) or "any", "", "text"), "", CONTROL, line["msg"]
    for line in _lines(golden / "sequence.jsonl"):
        yield from _sequence(line)
    yield from _answers(golden / "rest/response.jsonl", facts / "rest/field.csv")
    yield from _frames(golden / "rest/websocket.jsonl", facts / "rest/realtime.csv")


_READS = {"GetCommData": STRIPPED, "GetCommDataEx": CONTROL, "twin, recorded": TWIN, "twin, guide": GUIDE}


def _excerpts(paths: Sequence[Path]) -> Iterator[Value]:
    for line in (each for path in paths for each in _lines(path)):
        server = {"mock": "mock", "real": "real", "production": "real"}.get(line["server"], "")
        for row in line["rows"]:
            for name, value in row.items():
                yield Field("tr", line["tr"].lower(), line["part"], name), server, _READS[line["read"]], value


def _lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]


def _server(note: str, source: str = "") -> str:
    if re.search(r"simulation|mock", note) or "koapy-tutorial" in source:
        return "mock"
    return "real" if re.search(r"real (server|login)", note) else ""


def _read(note: str) -> str:
    """Most recorders took blanks off; some say that they did not."""
    raw = re.search(r"NOT stripped|unstripped|^raw|GetCommDataEx row", note)
    return CONTROL if raw and "GetCommData stripped" not in note.partition(";")[0] else STRIPPED


def _tr(line: dict[str, Any]) -> Iterator[Value]:
    code = line["tr"].lower()
    if not is_tr(code):
        return
    part, read, server = line["kind"], _read(line["note"]), _server(line["note"], line["source"])
    missing = "0" if "author's default for missing" in line["note"] else None
    names = numbered(tr(code).multi_names if part == "multi" else tr(code).single_names)
    for row in line["rows"]:
        typed = list(row)
        if len(typed) == len(names) and not set(typed) <= set(names):
            row = dict(zip(names, row.values(), strict=True))  # the author's own names, in the order of the TR
        if not any(row.values()):
            continue  # that is how GetCommDataEx says that there are no rows
        for name, value in row.items():
            if name in names and isinstance(value, str) and value != missing:
                yield Field("tr", code, part, name), server, read, value


def _real(line: dict[str, Any]) -> Iterator[Value]:
    name, raw = line["realtype"], line.get("raw")
    if raw is None:
        values = {key: value for key, value in (line.get("values") or {}).items() if key.isdigit()}
        read = STRIPPED
    else:
        items = raw.split("\t")
        values = dict(zip(map(str, _fids(name, len(items))), items, strict=False))
        read = CONTROL
    values.pop(str(_LOST), None)
    for key, value in values.items():
        yield Field("real", name, "", key), _server(line["note"]), read, value


def _fids(name: str, count: int) -> tuple[int, ...]:
    """The FIDs of a tick of `count` values: those of today, or as they were before a FID was taken out."""
    fids = real_type(name).fids
    if name in ("주식체결", "주식시세") and count != len(fids):
        at = fids.index(567)
        return (*fids[:at], _LOST, *fids[at:])
    return fids


def _chejan(gubun: str, values: dict[str, str], server: str, read: str) -> Iterator[Value]:
    state = values.get("913", "접수") if gubun == "0" else ""
    for key, value in values.items():
        yield Field("chejan", gubun, state, key), server, read, value


def _function(line: dict[str, Any]) -> Iterator[Value]:
    value = line["returned"]
    if isinstance(value, str):
        name, arguments = line["function"], line["args"] or []
        part = arguments[0] if name in ("GetLoginInfo", "KOA_Functions") else ""
        # Long lists were shortened in the middle or at the end.
        yield Field("function", name, part, "returned"), "", CONTROL, value.replace("…;", "").replace(";…", "")


def _sequence(line: dict[str, Any]) -> Iterator[Value]:
    if "name" in line:
        for number, (raw, times) in enumerate(line["events"]):
            yield Field("phase", "장시작시간", "", f"{number:02d}"), "", CONTROL, f"{times} x {raw}".replace("\t", " ")
        return
    for each in line["events"]:
        named = {key: str(value) for key, value in each.items() if key.startswith("s") and key[1].isupper()}
        for key, value in named.items():
            if key not in ("sScrNo", "sRQName"):
                yield Field("event", each["event"], "order", key), "", CONTROL, value


def _answers(path: Path, fields: Path) -> Iterator[Value]:
    """Answers of the REST API, whose keys say which field of which TR they are."""
    known: dict[str, dict[tuple[str, str], Field]] = defaultdict(dict)
    with fields.open(encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines):
            if row["direction"] == "response" and row["tr_field"] and row["match"] in ("name", "hand"):
                where = Field("tr", row["tr_code"].lower(), row["tr_record"], row["tr_field"])
                known[row["api_id"]][row["list"], row["key"]] = where
    for line in _lines(path):
        body = line["body"] or {}
        server = {"mock": "mock", "production": "real"}.get(line["host"], "")
        read = TWIN if line["kind"] == "recorded" else GUIDE
        for (place, key), where in known.get(line["api_id"], {}).items():
            rows = [body] if not place else body.get(place)
            for row in rows if isinstance(rows, list) else []:
                if isinstance(row, dict) and isinstance(row.get(key), str) and any(_texts(row)):
                    yield where, server, read, row[key]


def _texts(row: dict[str, Any]) -> Iterator[str]:
    """What an answer says, beside whether it is one."""
    return (value for key, value in row.items() if isinstance(value, str) and not key.startswith("return_"))


def _frames(path: Path, types: Path) -> Iterator[Value]:
    """Frames of the WebSocket; they write the values of the real types as OpenAPI+ does."""
    with types.open(encoding="utf-8", newline="") as lines:
        events = {row["type"]: (_type_name(row), row["openapi_event"]) for row in csv.DictReader(lines)}
    for line in _lines(path):
        frame = line["frame"]
        if frame.get("trnm") != "REAL":
            continue
        server = {"mock": "mock", "production": "real"}.get(line["host"], "")
        for row in frame["data"]:
            name, event = events.get(row["type"], ("", ""))
            if event == "OnReceiveRealData":
                # Of ticks it is the newest recording there is, blanks and all; so it counts as the control's own.
                read = CONTROL if line["kind"] == "recorded" else GUIDE
                for key, value in row["values"].items():
                    if int(key) in real_type(name).fids:
                        yield Field("real", name, "", key), "", read, value
            elif event.startswith("OnReceiveChejanData"):
                read = TWIN if line["kind"] == "recorded" else GUIDE
                yield from _chejan(event[-1], row["values"], server, read)


def _type_name(row: dict[str, str]) -> str:
    """Most types of the REST API have OpenAPI+'s name."""
    names = {each.name for each in real_types()}
    return row["name"] if row["name"] in names else row["openapi_realtype"]
