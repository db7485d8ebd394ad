"""Commands that look up what OpenAPI+ is; they need no server."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

import koapy
from koapy.cli.app import DASHES, CommandError, Json, command
from koapy.cli.output import record, show, table, write_json
from koapy.openapi.error import error as find_error
from koapy.openapi.error import errors
from koapy.openapi.fid import fid as find_fid
from koapy.openapi.fid import fids
from koapy.openapi.functions import EVENTS, FUNCTIONS, HELPERS
from koapy.openapi.nearest import did_you_mean
from koapy.openapi.realtype import UnknownRealType, real_type, real_types
from koapy.openapi.search import search as find
from koapy.openapi.tr import tr as find_tr

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from koapy.openapi.error import OpenApiErrorInfo
    from koapy.openapi.fid import Fid
    from koapy.openapi.functions import EventSignature, Function
    from koapy.openapi.realtype import RealType
    from koapy.openapi.search import Hit
    from koapy.openapi.tr import Tr, TrField

MANY = 30
"""So many hits of a search are printed for each kind unless all are asked for."""


def register(app: typer.Typer) -> None:
    """Add the look-ups to `app`."""
    command(app, realtype, "koapy realtype 주식체결", "koapy realtype 호가")
    command(app, error, "koapy error -200", "koapy error OP_ERR_SISE_OVERFLOW", settings=DASHES)
    command(app, fid, "koapy fid 10", "koapy fid 현재가")
    command(app, function, "koapy function SendOrder", "koapy function OnReceiveTrData")
    command(app, search, "koapy search 일봉", "koapy search 예수금 --json")
    command(app, version, "koapy version")


def print_tr(code: str, as_json: bool) -> None:
    """What the TR `code` takes and gives, from the catalogue."""
    found = find_tr(code)
    if as_json:
        write_json(_data(found))
        return
    show(*record(_tr_facts(found), title=f"{found.code} {found.name}"))
    inputs = [(each.name, each.format or _labels(each.values), each.default, each.example) for each in found.inputs]
    show("", *table(("input", "takes", "default", "example"), inputs))
    for title, fields in (("single", found.single), ("multi", found.multi)):
        if fields:
            show("", *table((title, "FID", "width"), _field_rows(fields)))


def _tr_facts(found: Tr) -> Iterable[tuple[str, object]]:
    yield "single", f"{found.single_record or '-'} ({_counted(found.single)})" if found.single else "-"
    rows = f", {found.max_rows} rows a page" if found.max_rows else ""
    yield "multi", f"{found.multi_record or '-'} ({_counted(found.multi)}{rows})" if found.multi else "-"
    yield "kind", found.kind
    yield "edition", found.edition


def _counted(fields: Sequence[TrField]) -> str:
    return f"{len(fields)} field{'' if len(fields) == 1 else 's'}"


def _field_rows(fields: Iterable[TrField]) -> list[tuple[object, ...]]:
    return [(field.name, "" if field.fid is None else field.fid, field.width or "") for field in fields]


def _labels(values: Iterable[tuple[str, str]]) -> str:
    return ", ".join(f"{value}={label}" for value, label in values)


def realtype(
    name: Annotated[str, typer.Argument(help="A real type or a part of its name; without it, all are listed.")] = "",
    as_json: Json = False,
) -> None:
    """A kind of real-time tick and its FIDs, in the order of the tick."""
    named = [each for each in real_types() if each.name == name]
    matches = named or [each for each in real_types() if name in each.name]
    if not matches:
        try:
            real_type(name)
        except UnknownRealType as unknown:
            raise CommandError(str(unknown)) from None
    if not named and len(matches) > 1:
        _list(matches, ("real type", "FIDs", "delivered"), _realtype_row, as_json)
        return
    found = real_type(matches[0].name)
    if as_json:
        write_json(_data(found) | {"names": found.names})
        return
    facts = [("GIDC", found.gidc), ("delivered", "yes" if found.delivered else "no, OpenAPI+ keeps it to itself")]
    show(*record(facts, title=found.name), "", *table(("FID", "name"), zip(found.fids, found.names, strict=True)))


def _realtype_row(each: RealType) -> tuple[object, ...]:
    return each.name, len(each.fids), "yes" if each.delivered else ""


def error(
    code: Annotated[str, typer.Argument(help="A return code, a name, or a word; without it, all are listed.")] = "",
    as_json: Json = False,
) -> None:
    """What a return code of OpenAPI+ means."""
    number = _integer(code)
    if number is not None:
        exact = find_error(number)
        if exact is None:
            raise CommandError(f"OpenAPI+ has no error {number}; `koapy error` lists all")
        matches: Sequence[OpenApiErrorInfo] = [exact]
    else:
        matches = [each for each in errors() if code.upper() in (each.name or "") or code in each.message]
    if not matches:
        raise CommandError(f"no error has {code!r} in its name or message; `koapy error` lists all")
    if as_json and number is not None:
        write_json(_data(matches[0]))
        return
    _list(matches, ("code", "name", "message"), lambda each: (each.code, each.name or "", each.message), as_json)


def fid(
    number: Annotated[str, typer.Argument(help="A FID, or a part of its name; without it, all are listed.")] = "",
    as_json: Json = False,
) -> None:
    """The name of a FID, and the names that TRs have for it."""
    wanted = _integer(number)
    if wanted is None:
        matches = [
            each for each in fids() if number in (each.name or "") or any(number in n for n in each.names_in_trs)
        ]
        if not matches:
            raise CommandError(f"no FID has {number!r} in its name; `koapy fid` lists all")
        _list(matches, ("FID", "name", "in TRs"), _fid_row, as_json)
        return
    found = find_fid(wanted)
    used = [each.name for each in real_types() if wanted in each.fids]
    if not (found.name or found.names_in_trs or used):
        raise CommandError(f"no FID {wanted} is known; `koapy fid` lists all")
    if as_json:
        write_json(_data(found) | {"real_types": used})
        return
    facts = [("name", found.name or "-"), ("in TRs", ", ".join(found.names_in_trs) or "-")]
    show(*record([*facts, ("real types", ", ".join(used) or "-")], title=f"FID {wanted}"))


def _fid_row(each: Fid) -> tuple[object, ...]:
    return each.fid, each.name or "", ", ".join(each.names_in_trs)


def function(
    name: Annotated[str, typer.Argument(help="A function or an event; without it, all are listed.")] = "",
    as_json: Json = False,
) -> None:
    """The parameters of a function or an event of OpenAPI+."""
    known: dict[str, Function | EventSignature] = {**FUNCTIONS, **EVENTS, **HELPERS}
    matches = [known[name]] if name in known else [each for each in known.values() if name.lower() in each.name.lower()]
    if not matches:
        hint = did_you_mean(name, known) or "; `koapy function` lists all"
        raise CommandError(f"OpenAPI+ has no function or event {name!r}{hint}")
    if as_json:
        write_json([_function_data(each) for each in matches] if len(matches) > 1 else _function_data(matches[0]))
        return
    rows = ((_kind(each), each.name, _signature(each), getattr(each, "returns", "")) for each in matches)
    show(*table(("kind", "name", "parameters", "returns"), rows))


def _function_data(each: Function | EventSignature) -> dict[str, Any]:
    return {"kind": _kind(each), **_data(each)}


def _kind(each: Function | EventSignature) -> str:
    return "event" if each.name in EVENTS else "function" if each.name in FUNCTIONS else "helper"


def _signature(each: Function | EventSignature) -> str:
    return ", ".join(f"{parameter.name}: {parameter.type}" for parameter in each.parameters)


def search(
    word: Annotated[str, typer.Argument(help="A word, Korean or not.")],
    everything: Annotated[bool, typer.Option("--all", help=f"All hits, not the first {MANY} of each kind.")] = False,
    as_json: Json = False,
) -> None:
    """Find a word among TRs, real types, FIDs, errors, functions and issues."""
    print_hits(word, find(word), everything, as_json)


def print_hits(word: str, hits: Sequence[Hit], everything: bool, as_json: bool) -> None:
    """The hits of a search for `word`; `CommandError` where there are none."""
    if not hits:
        raise CommandError(f"nothing in the catalogue has {word!r} in it; a shorter word finds more")
    kinds = list(dict.fromkeys(hit.kind for hit in hits))
    shown = [hit for kind in kinds for hit in [h for h in hits if h.kind == kind][: None if everything else MANY]]
    if as_json:
        write_json([asdict(hit) for hit in (hits if everything else shown)])
        return
    show(*table(("kind", "key", "text"), ((hit.kind, hit.key, hit.text) for hit in shown)))
    if len(shown) < len(hits):
        show(f"... and {len(hits) - len(shown)} more; --all prints them")


def version(as_json: Json = False) -> None:
    """The version of koapy."""
    if as_json:
        write_json({"version": koapy.__version__})
        return
    show(f"koapy {koapy.__version__}")


def _list(matches: Sequence[Any], columns: Sequence[str], row: Any, as_json: bool) -> None:
    if as_json:
        write_json(_data(tuple(matches)))
        return
    show(*table(columns, (row(each) for each in matches)))


def _data(entry: Any) -> Any:
    """An entry of the catalogue, and what is in it, by the names of its fields."""
    if not isinstance(entry, tuple):
        return entry
    if names := getattr(entry, "_fields", None):
        return {name: _data(value) for name, value in zip(names, entry, strict=True)}
    return [_data(each) for each in entry]


def _integer(word: str) -> int | None:
    try:
        return int(word)
    except ValueError:
        return None
