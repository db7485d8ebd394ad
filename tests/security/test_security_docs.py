"""The pages for operators: what can be checked of them is true."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
import typer

from koapy.cli import application
from koapy.openapi.functions import EVENTS, FUNCTIONS, HELPERS
from koapy.openapi.tr import trs
from koapy.server import access
from koapy.server.config import load
from koapy.server.health import State

DOCS = Path(__file__).parents[2] / "docs"
PAGES = ("security.md", "operations.md")


def text(page: str) -> str:
    return (DOCS / page).read_text(encoding="utf-8")


def blocks(page: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", text(page), re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("page", PAGES)
def test_every_command_takes_what_the_page_gives_it(page: str) -> None:
    commands = [line for block in blocks(page, "sh") for line in block.splitlines() if line.startswith("koapy ")]
    assert commands
    root = typer.main.get_command(application())
    for line in commands:
        command, words = root, shlex.split(line)[1:]
        while groups := getattr(command, "commands", None):
            while words[0].startswith("--"):  # options before the command, each with its value
                words = words[2:]
            assert words[0] in groups, line
            command, words = groups[words[0]], words[1:]
        command.make_context("command", words)


def test_the_configuration_is_one(tmp_path: Path) -> None:
    (block,) = blocks("operations.md", "toml")
    (tmp_path / "koapy.toml").write_text(block, encoding="utf-8")
    config = load(tmp_path / "koapy.toml")
    assert config.security.tls
    assert config.security.tokens == tmp_path / "tokens.json"
    assert config.settings.risk.clients["bot"].max_quantity == 100


def test_every_state_is_explained() -> None:
    rows = set(re.findall(r"^\| ([A-Z_]+) \| (SERVING|NOT_SERVING) \|", text("operations.md"), re.MULTILINE))
    assert {name for name, _ in rows} == set(State)
    assert {name for name, health in rows if health == "SERVING"} == {State.SERVING, State.NOT_LOGGED_IN}


def test_every_role_rpc_function_and_event_stands_where_it_belongs() -> None:
    page = text("security.md")
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in page.splitlines() if line.startswith("|")]
    told = {name.strip(" `"): row[1] for row in rows if len(row) == 2 for name in re.split(r", | and ", row[0])}
    assert set(access.Role) <= set(told)
    assert set(access.RPC_NEEDS) <= set(told)
    constant = {name: needs for name, needs in access.RPC_NEEDS.items() if isinstance(needs, frozenset)}
    for name, needs in (constant | dict(access.EVENT_NEEDS)).items():
        said = told.get(name, told["all others"])
        assert {role for role in access.Role if f"`{role}`" in said} == needs, name
    assert set(EVENTS) >= {name for name in told if name.startswith("On")}
    for name in (*FUNCTIONS, *HELPERS):
        needs = access.FUNCTION_NEEDS[name]
        if isinstance(needs, frozenset) and needs != access.MARKET_DATA:
            assert {role for role in access.Role if f"`{role}`" in told[name]} == needs, name
    takes = [each for each in trs() if "계좌번호" in each.input_names]
    assert f"({len(takes)} of the {len(trs())})" in page
