"""`koapy ocx`: the OpenAPI+ of this machine."""

from __future__ import annotations

import logging
import sys
import textwrap
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from koapy.cli.app import Json, command
from koapy.cli.output import show, write_json

if TYPE_CHECKING:
    from collections.abc import Iterator

    from koapy.ocx.doctor import Finding

LINE = 100
"""Columns of the page."""


def register(app: typer.Typer) -> None:
    """Add `ocx` to `app`."""
    ocx = typer.Typer(callback=lambda: None)
    command(ocx, doctor, "koapy ocx doctor", "koapy ocx doctor --json")
    app.add_typer(ocx, name="ocx", help="Look at the OpenAPI+ of this machine.", epilog="Example: koapy ocx doctor")


def doctor(
    control: Annotated[
        str, typer.Option(metavar="ID", help="ProgID or CLSID of the control.")
    ] = "KHOPENAPI.KHOpenAPICtrl.1",
    as_json: Json = False,
) -> None:
    """Say on one page what this machine has of OpenAPI+ and what to do; send it in when something is strange.

    Exit code 1 where OpenAPI+ cannot work like this.
    """
    import koapy
    from koapy.ocx.doctor import Finding, examine

    # What goes wrong stands on the page.
    logging.basicConfig(level="CRITICAL", stream=sys.stderr, format="koapy: %(message)s")
    page = [Finding("koapy", koapy.__version__), *examine(control)]
    if as_json:
        write_json([asdict(each) for each in page])
    else:
        show(*_page(page))
    if any(each.grave for each in page):
        raise typer.Exit(1)


def _page(page: list[Finding]) -> Iterator[str]:
    """What was found, each with what to do about it below, in lines that fit a letter."""
    width = max(len(each.what) for each in page)
    margin = " " * (width + 6)
    for each in page:
        mark = "!!" if each.grave else "! " if each.advice else "  "
        found = textwrap.wrap(each.found, LINE - len(margin), break_long_words=False) or [""]
        yield f"{mark}  {each.what:<{width}}  {found[0]}"
        yield from (f"{margin}{line}" for line in found[1:])
        advice = textwrap.wrap(each.advice, LINE - len(margin) - 3, break_long_words=False, break_on_hyphens=False)
        yield from (f"{margin}{'   ' if at else '-> '}{line}" for at, line in enumerate(advice))
    grave, other = sum(each.grave for each in page), sum(bool(each.advice) and not each.grave for each in page)
    yield ""
    if grave:
        yield f"{grave} marked !! keep OpenAPI+ from working here; do what stands below each."
    else:
        yield "Nothing keeps OpenAPI+ from working here."
    if other:
        yield f"{other} marked ! to look at."
