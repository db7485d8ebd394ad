"""Every command says what it does, shows an example that it takes, and stands in docs/cli.md."""

import importlib.util
import re
import shlex
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import typer

from koapy.cli import FAMILIES, application, main

ROOT = Path(__file__).parents[2]


def builder() -> ModuleType:
    spec = importlib.util.spec_from_file_location("build_cli_docs", ROOT / "tools" / "build_cli_docs.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def commands() -> dict[str, Any]:
    found: dict[str, Any] = {}

    def walk(name: str, command: Any) -> None:
        found[name] = command
        for key, each in getattr(command, "commands", {}).items():
            walk(f"{name} {key}", each)

    walk("koapy", typer.main.get_command(application()))
    return found


def test_the_commands_are_these() -> None:
    wanted = """
        serve ocx service status halt release cert token demo
        tr login account call condition watch order orders
        realtype error fid function search version
    """
    groups = {name.split()[1] for name in commands() if " " in name}
    assert groups == set(wanted.split())


@pytest.mark.parametrize("family", FAMILIES)
def test_a_command_line_has_the_commands_that_it_can_mean(family: str) -> None:
    for name in FAMILIES[family]:
        for words in ([name], ["--token-file", "file", name, "--help"], [name, "no-command"]):
            assert set(typer.main.get_command(application(words)).commands) >= FAMILIES[family]  # type: ignore[attr-defined]
        assert set(typer.main.get_command(application([name])).commands) == FAMILIES[family]  # type: ignore[attr-defined]


def test_what_names_no_command_has_them_all() -> None:
    everything = {name for commands in FAMILIES.values() for name in commands}
    for words in ([], ["--help"], ["serv", "order"], ["-h"]):
        assert set(typer.main.get_command(application(words)).commands) == everything  # type: ignore[attr-defined]
    both = typer.main.get_command(application(["--token-file", "serve", "watch"]))
    assert set(both.commands) >= {"serve", "watch"}  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", commands())
def test_command_has_help_and_examples_that_parse(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    command = commands()[name]
    assert command.help
    assert command.help.rstrip().endswith(".")
    examples = re.findall(r"Example: (koapy .+)", command.epilog)
    assert examples
    for example in examples:
        words = shlex.split(example)[1:]
        typer.main.get_command(application()).make_context("koapy", list(words), resilient_parsing=True)
        assert example.startswith(name)
    with pytest.raises(SystemExit) as ended:
        main([*name.split()[1:], "--help"])
    assert not ended.value.code
    shown = " ".join(capsys.readouterr().out.split())
    assert all(" ".join(example.split()) in shown for example in examples)


@pytest.mark.parametrize("name", commands())
def test_every_option_and_argument_has_help(name: str) -> None:
    assert [each.name for each in commands()[name].params if not getattr(each, "help", None)] == []


def test_docs_are_what_help_says() -> None:
    page = builder()
    assert page.PAGE.read_text(encoding="utf-8") == page.page(), "run `python tools/build_cli_docs.py`"
