"""`koapy ocx`: the OpenAPI+ of this machine."""

from __future__ import annotations

import logging
import sys
from dataclasses import asdict
from typing import Annotated

import typer

from koapy.cli.app import Json, command
from koapy.cli.output import show, table, write_json


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
    """Say on one page what this machine has of OpenAPI+ and what to do; send it in when something is strange."""
    import koapy
    from koapy.ocx.doctor import Finding, examine

    logging.basicConfig(level="WARNING", stream=sys.stderr, format="koapy: %(message)s")
    page = [Finding("koapy", koapy.__version__), *examine(control)]
    if as_json:
        write_json([asdict(each) for each in page])
        return
    show(*table(("what", "found", "what to do"), [(each.what, each.found, each.advice) for each in page]))
