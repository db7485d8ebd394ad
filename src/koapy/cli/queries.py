"""Commands that ask a running server once."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003  typer reads the annotations
from typing import TYPE_CHECKING, Annotated, Any

import typer

from koapy.cli import sheets
from koapy.cli.app import DASHES, DEFAULT_ADDRESS, Address, CommandError, Json, command
from koapy.cli.catalogue import print_hits, print_tr
from koapy.cli.connection import connected
from koapy.cli.coverage import print_coverage
from koapy.cli.output import pretty, record, show, signed, table, without_blank_columns, write_json
from koapy.openapi.functions import FUNCTIONS, HELPERS
from koapy.openapi.install import InstalledDataError, load_installed
from koapy.openapi.search import search
from koapy.openapi.tr import UnknownTr, is_tr
from koapy.openapi.tr import tr as find_tr

if TYPE_CHECKING:
    from collections.abc import Sequence

    from koapy.client import Transaction


def register(app: typer.Typer) -> None:
    """Add the queries to `app`."""
    examples = "koapy tr opt10081", "koapy tr opt10081 종목코드=005930 수정주가구분=1", "koapy tr 일봉"
    command(app, tr, *examples)
    command(app, login, "koapy login")
    command(app, account, "koapy account")
    command(app, call, "koapy call GetMasterCodeName 005930", settings=DASHES)
    command(app, condition, "koapy condition", 'koapy condition "대형 저평가 우량주"')


def tr(
    code: Annotated[str, typer.Argument(help="A TR's code, or a word that is looked for in the names of TRs.")] = "",
    inputs: Annotated[
        list[str] | None, typer.Argument(metavar="NAME=VALUE...", help="Inputs: these ask a server.")
    ] = None,
    query: Annotated[bool, typer.Option("--query", help="Ask a server even without inputs.")] = False,
    rows: Annotated[int, typer.Option(min=0, help="So many rows, over as many pages as it takes; 0: one page.")] = 0,
    everything: Annotated[bool, typer.Option("--all", help="All pages.")] = False,
    installed: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Read the TRs of an installed OpenAPI+ (C:\\OpenAPI) over the shipped ones."),
    ] = None,
    coverage: Annotated[
        bool, typer.Option("--coverage", help="What the simulation answers each TR from, or those that CODE finds.")
    ] = False,
    address: Address = DEFAULT_ADDRESS,
    as_json: Json = False,
) -> None:
    """What a TR takes and gives; with inputs, what a running server answers."""
    if coverage:
        print_coverage(code, as_json)
        return
    if not code:
        raise CommandError("give the code of a TR or a word of its name, or --coverage for what the simulation answers")
    if installed is not None:
        try:
            load_installed(installed)
        except InstalledDataError as error:
            raise CommandError(str(error)) from None
    if not is_tr(code):
        hits = [hit for hit in search(code) if hit.kind == "tr"]
        if not hits or inputs:
            hint = "" if code.isascii() else "; `koapy search` looks beyond the names of TRs"
            raise CommandError(f"{UnknownTr(code)}{hint}")
        print_hits(code, hits, True, as_json)
    elif inputs or query:
        given = parse_inputs(code, inputs or [])
        pages = None if everything or rows else 1
        with connected(address) as client:
            answer = client.transaction(code, given, pages=pages, rows=rows or None)
        _print_transaction(answer, as_json, first_page=pages == 1)
    else:
        print_tr(code, as_json)


def parse_inputs(code: str, given: Sequence[str]) -> dict[str, str]:
    """Inputs of a TR from NAME=VALUE words, names checked against the catalogue."""
    names = find_tr(code).input_names
    parsed: dict[str, str] = {}
    for word in given:
        name, equals, value = word.partition("=")
        if not equals or name not in names:
            raise CommandError(f"{word!r} is no input of {code}; give NAME=VALUE with {', '.join(names) or 'nothing'}")
        parsed[name] = value
    return parsed


def _print_transaction(answer: Transaction, as_json: bool, *, first_page: bool) -> None:
    names = unique([str(name) for name in answer.multi.columns])
    rows: list[list[str]] = answer.multi.to_numpy().tolist()
    if as_json:
        multi = [dict(zip(names, row, strict=True)) for row in rows]
        write_json({"code": answer.code, "pages": answer.pages, "single": answer.single, "multi": multi})
        return
    if answer.single:
        show(*record((name, signed(value)) for name, value in answer.single.items()))
    if rows:
        held, cells, blank = without_blank_columns(names, rows)
        show(*([""] if answer.single else []), *table(held, [[signed(cell) for cell in row] for row in cells]))
        if blank:
            show("", f"blank in every row: {', '.join(blank)}")
    if first_page and rows and len(rows) == find_tr(answer.code).max_rows:
        show("", f"the first page, {len(rows)} rows; --all gets every page, --rows N so many rows")
    if not answer.single and not rows:
        show("no rows")


def unique(names: Sequence[str]) -> list[str]:
    """The names, repeated ones numbered: OpenAPI+ tells these apart by their place only."""
    seen: dict[str, int] = {}
    for name in names:
        seen[name] = seen.get(name, 0) + 1
    counts: dict[str, int] = {}
    result = []
    for name in names:
        counts[name] = counts.get(name, 0) + 1
        result.append(f"{name}_{counts[name]}" if seen[name] > 1 else name)
    return result


def login(address: Address = DEFAULT_ADDRESS, as_json: Json = False) -> None:
    """Log in, and show who that is."""
    with connected(address) as client:
        facts = sheets.login_facts(client)
    if as_json:
        write_json(facts)
        return
    show(*sheets.login_sheet(facts))


def account(
    number: Annotated[str, typer.Argument(help="An account number; the first one unless given.")] = "",
    address: Address = DEFAULT_ADDRESS,
    as_json: Json = False,
) -> None:
    """Cash and holdings of an account."""
    with connected(address) as client:
        deposit = client.deposit(number or None, numeric=not as_json)
        balance = client.balance(number or None, numeric=not as_json)
    if as_json:
        write_json({"deposit": deposit, "balance": balance.single, "holdings": balance.multi.to_dict("records")})
        return
    show(*sheets.cash_sheet(deposit), "", *sheets.balance_sheet(balance))


def call(
    name: Annotated[str, typer.Argument(help="A function of OpenAPI+, or a helper name of KOAPY's clients.")],
    arguments: Annotated[list[str] | None, typer.Argument(help="Its arguments, in order.")] = None,
    address: Address = DEFAULT_ADDRESS,
    as_json: Json = False,
) -> None:
    """Call one function of OpenAPI+ and print what it returns. It does not log in: `koapy login` does."""
    values = typed(name, arguments or [])
    with connected(address, login=False) as client:
        returned = client.call(name, *values)
    if as_json:
        write_json(returned)
    elif returned is not None:
        show(pretty(returned))


def typed(name: str, arguments: Sequence[str]) -> list[str | int | bool]:
    """The arguments as the function takes them; what the catalogue does not know stays text for the server to judge."""
    known = FUNCTIONS.get(name) or HELPERS.get(name)
    kinds = [each.type for each in known.parameters] if known else []
    if known and len(arguments) != len(kinds):
        raise CommandError(f"{name} takes {len(kinds)} arguments and not {len(arguments)}: {known}")
    values: list[str | int | bool] = []
    for index, word in enumerate(arguments):
        kind = kinds[index] if kinds else "str"
        try:
            values.append(_CONVERSIONS[kind](word))
        except (ValueError, KeyError):
            parameter = known.parameters[index] if known else None
            raise CommandError(f"{name}: {word!r} is no {kind} for {parameter.name if parameter else index}") from None
    return values


_TRUTH = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}
_CONVERSIONS: dict[str, Any] = {"str": str, "int": int, "bool": lambda word: _TRUTH[word.lower()]}


def condition(
    name: Annotated[str, typer.Argument(help="A condition's name or index; without it, all are listed.")] = "",
    address: Address = DEFAULT_ADDRESS,
    as_json: Json = False,
) -> None:
    """Run a condition search (조건검색) and show the codes that it finds."""
    with connected(address) as client:
        if not name:
            listed = client.conditions()
            rows: list[dict[str, object]] = [{"index": each.index, "name": each.name} for each in listed]
        else:
            found = client.condition(int(name) if name.isdecimal() else name)
            rows = [{"code": code, "name": client.GetMasterCodeName(code)} for code in found]
    if as_json:
        write_json(rows)
    elif rows:
        show(*table(tuple(rows[0]), [tuple(row.values()) for row in rows]))
    else:
        show("no code meets it now" if name else "there are no conditions; they are written in Kiwoom's HTS")
