"""Where there is Wine: the whole way to a fake OCX. Where there is none, each test says what is missing."""

from __future__ import annotations

import importlib.util
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

HERE = Path(__file__).parent
_spec = importlib.util.spec_from_file_location("ocx_way", HERE / "way.py")
assert _spec
assert _spec.loader
way = sys.modules["ocx_way"] = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(way)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

# The servicer's tests run again here, on the fixtures that they have there.
beside = way.load("ocx_server_conftest", way.ROOT / "tests/server/conftest.py")
beside.Server = way.ChainedServer
strict, settings, with_settings, _running = beside.strict, beside.settings, beside.with_settings, beside._running


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items[:] = [item for item in items if not left_out(item)]
    reason = way.missing()
    for item in items:
        if HERE not in item.path.parents:
            continue
        # The first one builds the host and makes a Windows, which takes longer than any test.
        if not item.get_closest_marker("timeout"):
            item.add_marker(pytest.mark.timeout(120, func_only=True))
        if reason and item.path.name != "test_ocx_anywhere.py":
            item.add_marker(pytest.mark.skip(reason=reason))


def left_out(item: pytest.Item) -> bool:
    """Whether this is a case that the file of a test leaves out."""
    cases = getattr(getattr(item, "module", None), "LEFT_OUT_CASES", set())
    return bool(cases & set(item.name.partition("[")[2].rstrip("]").split("-")))


@pytest.fixture(scope="session", autouse=True)
def windows() -> Iterator[None]:
    """A Windows with the fake OCX."""
    if way.missing():
        yield
        return
    before = {name: os.environ.get(name) for name in way.WINE}
    os.environ.update(way.WINE)
    way.prepare()
    yield
    for name, value in before.items():
        if value is None:
            del os.environ[name]
        else:
            os.environ[name] = value


@pytest.fixture
def chain() -> Callable[..., Any]:
    """`with chain(control) as ocx`."""
    return way.chain
