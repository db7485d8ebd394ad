"""The `koapy` command: every subcommand parses, makes one library call and prints."""

from __future__ import annotations

import os
import sys
from importlib import import_module
from typing import TYPE_CHECKING, NoReturn

import typer

from koapy.cli.app import CommandError

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["application", "main"]

FAMILIES = {
    "serving": {"serve"},
    "ocx": {"ocx"},
    "service": {"service"},
    "operations": {"status", "halt", "release"},
    "keys": {"cert", "token"},
    "demo": {"demo"},
    "queries": {"tr", "login", "account", "call", "condition"},
    "streams": {"watch"},
    "orders": {"order"},
    "journal": {"orders"},
    "catalogue": {"realtype", "error", "fid", "function", "search", "version"},
}
"""The modules of this package that have commands, and which. In the order of `koapy --help`: first what runs, then what
asks a server, then what looks up."""


def application(words: Sequence[str] = ()) -> typer.Typer:
    """The `koapy` command: with the commands that `words`, a command line, can mean; with all, where they name none."""
    first = next((word for word in words if not word.startswith("-")), "")
    is_named = any(first in commands for commands in FAMILIES.values())
    # Every word, not only the first: that may be the value of an option which stands before the command.
    wanted = [family for family, commands in FAMILIES.items() if not is_named or commands.intersection(words)]
    app = typer.Typer(
        name="koapy",
        help="A gRPC gateway to Kiwoom Securities' OpenAPI+, with an embedded simulated exchange.",
        epilog="Example: koapy demo",
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    for family in ("connection", *wanted):
        import_module(f"{__name__}.{family}").register(app)
    return app


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run one command and exit: 0 when it did its work, 1 with one line on stderr when not, 130 when interrupted.

    Args: arguments: the command line without the program's name; that of the process unless given.
    """
    # grpc's own library writes lines of its own to stderr, such as a port in use: the exceptions tell the same.
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")
    for stream in (sys.stdout, sys.stderr):
        _tolerate(stream)
    words = sys.argv[1:] if arguments is None else list(arguments)
    sys.exit(_run(words or ["--help"]))


def _run(arguments: Sequence[str]) -> int:
    command = typer.main.get_command(application(arguments))
    try:
        outcome = command.main(args=list(arguments), prog_name="koapy", standalone_mode=False)
        sys.stdout.flush()
    except CommandError as problem:
        return _tell(str(problem))
    except BrokenPipeError:
        # The reader (`head`) has gone. Without this the interpreter complains once more when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except (KeyboardInterrupt, typer.Abort):
        return 130
    except Exception as error:
        # Usage errors: typer brought its own copy of click in later releases, so they are known by what they can do.
        if not hasattr(error, "format_message"):
            raise
        context = getattr(error, "ctx", None)
        where = context.command_path if context is not None else "koapy"
        return _tell(f"{error.format_message()} (`{where} --help` shows how)")
    return outcome if isinstance(outcome, int) else 0


def _tell(text: str) -> int:
    print("koapy:", " ".join(text.split()), file=sys.stderr)
    return 1


def _tolerate(stream: object) -> None:
    """Let Korean through on a stream whose encoding has none: escaped, instead of a traceback."""
    if reconfigure := getattr(stream, "reconfigure", None):
        # A pipe on Windows gets the legacy code page unless told otherwise; what reads it expects UTF-8.
        piped = sys.platform == "win32" and not getattr(stream, "isatty", bool)()
        wanted = {"encoding": "utf-8"} if piped and "PYTHONIOENCODING" not in os.environ else {}
        reconfigure(errors="backslashreplace", **wanted)
