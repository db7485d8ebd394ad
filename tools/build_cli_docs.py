"""Writes docs/cli.md from the help of every command; with --check only says whether it is fresh."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from koapy.cli import application

if TYPE_CHECKING:
    from collections.abc import Iterator

PAGE = Path(__file__).resolve().parent.parent / "docs" / "cli.md"
WIDTH = 100

HEAD = """# The `koapy` command

Made by `python tools/build_cli_docs.py` from what `koapy COMMAND --help` prints; do not edit.

Every command prints tables for people and, with `--json`, JSON for machines: one document, or one line for each
message of a stream. A failure is one line on stderr that says what would be right, and exit code 1. Commands that ask a
server take its address from `--address` or the environment variable `KOAPY_ADDRESS`.
"""


def commands() -> Iterator[tuple[str, Any, typer.Context]]:
    """Each command with its full name and a context to print its help in, the application itself first."""
    # Plain text: boxes and colours are for terminals.
    app = application()
    app.rich_markup_mode = None
    root = typer.main.get_command(app)
    yield from _below(root, typer.Context(root, info_name="koapy", terminal_width=WIDTH, **root.context_settings))


def _below(command: Any, context: typer.Context) -> Iterator[tuple[str, Any, typer.Context]]:
    yield context.command_path, command, context
    for name, each in getattr(command, "commands", {}).items():
        yield from _below(each, typer.Context(each, info_name=name, parent=context, terminal_width=WIDTH))


def page() -> str:
    """The whole page."""
    sections = [HEAD]
    for name, command, context in commands():
        text = "\n".join(line.rstrip() for line in command.get_help(context).strip().splitlines())
        sections.append(f"## {name}\n\n```\n{text}\n```\n")
    return "\n".join(sections)


def main() -> int:
    """Write the page, or compare it with what is committed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="change nothing; exit with 1 where the page is stale")
    if not parser.parse_args().check:
        PAGE.parent.mkdir(exist_ok=True)
        PAGE.write_text(page(), encoding="utf-8")
        return 0
    if PAGE.exists() and PAGE.read_text(encoding="utf-8") == page():
        return 0
    print("stale: docs/cli.md; run `python tools/build_cli_docs.py`", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
