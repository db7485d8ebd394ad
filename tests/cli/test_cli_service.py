"""`koapy service` as far as it goes without Windows; tests/ocx/test_ocx_windows_python.py has it log on."""

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest


def koapy(*words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "koapy", "service", *words]
    return subprocess.run(command, capture_output=True, encoding="utf-8", timeout=60, check=False)


@pytest.fixture
def config() -> Iterator[Path]:
    # Not below pytest's own folder, whose name may be longer than the command can be.
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "my settings.toml"
        file.touch()
        yield file


def test_windows_is_to_start_the_gateway_to_the_ocx_with_its_settings(config: Path) -> None:
    done = koapy("install", "--config", str(config), "--show")
    assert done.returncode == 0
    words = [sys.executable, "-m", "koapy", "serve", "--control", "ocx", "--config", str(config)]
    assert done.stdout == subprocess.list2cmdline(words) + "\n"


def test_what_is_wrong_with_the_settings_is_said_before_the_logon(config: Path) -> None:
    done = koapy("install", "--config", "no-such.toml", "--show")
    assert (done.returncode, done.stderr) == (1, "koapy: no-such.toml: cannot be read: No such file or directory\n")
    config.write_text("[server]\nprot = 5943\n", encoding="utf-8")
    done = koapy("install", "--config", str(config), "--show")
    assert done.returncode == 1
    assert "did you mean port?" in done.stderr


def test_a_command_that_is_too_long_for_windows_is_refused(config: Path) -> None:
    long = config.with_name("x" * 250)
    long.touch()
    done = koapy("install", "--config", str(long), "--show")
    assert (done.returncode, "260 characters" in done.stderr) == (1, True)


@pytest.mark.skipif(sys.platform == "win32", reason="here it would be done")
@pytest.mark.parametrize("word", ["install", "status", "uninstall"])
def test_elsewhere_than_on_windows_it_says_so(word: str) -> None:
    done = koapy(word)
    assert done.returncode == 1
    assert "only Windows does this" in done.stderr
