"""What all commands share: the options that many have, how one is added, and the error that ends one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from collections.abc import Callable

DEFAULT_ADDRESS = "127.0.0.1:5943"

Json = Annotated[bool, typer.Option("--json", help="Print JSON for machines instead of tables.")]
Address = Annotated[
    str,
    typer.Option("--address", "-a", envvar="KOAPY_ADDRESS", metavar="HOST:PORT", help="The server that is asked."),
]

DASHES = {"ignore_unknown_options": True}
"""Context settings of commands whose arguments may begin with a dash, such as -200."""


class CommandError(Exception):
    """Ends a command with exit code 1. Its text is the one line on stderr: what is wrong and what would be right."""


def command(
    target: typer.Typer,
    function: Callable[..., None],
    *examples: str,
    name: str | None = None,
    settings: dict[str, Any] | None = None,
) -> None:
    """Add `function` to `target` as a command; its help is the docstring, then the examples."""
    told = "\n\n".join(f"Example: {example}" for example in examples)
    target.command(name, epilog=told, context_settings=settings)(function)
