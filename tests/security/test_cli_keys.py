"""`koapy cert`, `koapy token` and the safety options of `koapy serve`, as they are typed."""

from __future__ import annotations

import json
import os
import stat
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from koapy.cli import main
from koapy.server.access import Role
from koapy.server.security import SecurityError, certificates, tokens

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def koapy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    """Run a command; its exit code, stdout and stderr."""
    for name in ("XDG_STATE_HOME", "LOCALAPPDATA", "HOME"):
        monkeypatch.setenv(name, str(tmp_path))

    def run(*words: str) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as ended:
            main(words)
        shown = capsys.readouterr()
        return int(ended.value.code or 0), shown.out, shown.err

    return run


def listed(koapy: Any, *words: str) -> list[dict[str, Any]]:
    code, out, _ = koapy(*words, "--json")
    assert code == 0
    rows: list[dict[str, Any]] = json.loads(out)
    return rows


def test_certificates_from_the_first_to_the_renewed(koapy: Any, tmp_path: Path) -> None:
    folder = tmp_path / "keys"
    where = ("--dir", str(folder))
    assert koapy("cert", "show", *where)[2] == f"koapy: {folder} has no certificates; type: koapy cert make\n"
    assert koapy("cert", "make", "--host", "gateway.lan", "--host", "192.0.2.7", *where)[0] == 0
    assert koapy("cert", "make", "--client", "bot", *where)[0] == 0
    before = {row["name"]: row for row in listed(koapy, "cert", "show", *where)}
    assert [row["kind"] for row in before.values()] == ["ca", "server", "client"]
    assert before["koapy server"]["hosts"] == ["localhost", "127.0.0.1", "::1", "gateway.lan", "192.0.2.7"]
    if os.name == "posix":
        assert {path.name: stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {
            f"{name}{end}.pem": 0o600 if end else 0o644 for name in ("ca", "server", "bot") for end in ("", "-key")
        }
    code, _, err = koapy("cert", "make", *where)
    assert (code, "--overwrite" in err) == (1, True)
    assert koapy("cert", "renew", "nobody", *where)[0] == 1
    assert koapy("cert", "renew", *where)[0] == 0
    after = {row["name"]: row for row in listed(koapy, "cert", "show", *where)}
    assert [after[name]["sha256"] == before[name]["sha256"] for name in before] == [True, False, False]
    assert after["koapy server"]["hosts"] == before["koapy server"]["hosts"]
    assert koapy("cert", "make", "--overwrite", *where)[0] == 0


def test_lifetimes(tmp_path: Path) -> None:
    begun = datetime.now(UTC)
    ca, server = certificates.make(tmp_path, now=begun)
    assert ca.until - begun >= timedelta(days=3649)
    assert timedelta(days=396) < server.until - begun <= timedelta(days=397)
    assert server.state(begun) == "valid"
    assert server.state(server.until - timedelta(days=29)) == "ends soon"
    assert server.state(server.until) == "expired"
    late = begun + timedelta(days=3600)
    (short,) = certificates.renew(tmp_path, now=late)
    assert short.until == ca.until  # nothing outlives what has signed it
    with pytest.raises(SecurityError, match="has expired"):
        certificates.renew(tmp_path, now=begun + timedelta(days=3651))


@pytest.mark.parametrize("client", ["ca", "server", "a/b", "..", "", " "])
def test_names_that_would_be_other_files(client: str, tmp_path: Path) -> None:
    certificates.make(tmp_path)
    with pytest.raises(SecurityError):
        certificates.make(tmp_path, client=client)


def test_a_ca_key_that_others_can_read_signs_nothing(tmp_path: Path) -> None:
    certificates.make(tmp_path)
    (tmp_path / "ca-key.pem").chmod(0o644)
    with pytest.raises(SecurityError, match="chmod 600"):
        certificates.renew(tmp_path)


def test_tokens_from_the_first_to_the_last(koapy: Any, tmp_path: Path) -> None:
    code, token, _ = koapy("token", "create", "bot", "--role", "order", "--role", "market-data", "--expires", "90")
    assert (code, token.startswith("koapy_")) == (0, True)
    assert koapy("token", "create", "trader", "--role", "admin", "--certificate", "bot")[0] == 0
    (path,) = tmp_path.rglob("tokens.json")
    assert tokens.Tokens(path).by_token(token.strip()) == tokens.load(path)[0]
    rows = listed(koapy, "token", "list")
    assert [(row["name"], row["roles"], row["by"]) for row in rows] == [
        ("bot", ["market-data", "order"], "token"),
        ("trader", ["admin"], "certificate bot"),
    ]
    shown = koapy("token", "list")[1]
    assert "bot" in shown
    assert token.strip() not in shown
    code, _, err = koapy("token", "create", "x", "--role", "king")
    assert (code, ", ".join(Role) in err) == (1, True)
    assert koapy("token", "create", "bot", "--role", "order")[0] == 1
    assert koapy("token", "revoke", "bot")[0] == 0
    assert koapy("token", "revoke", "bot")[0] == 1
    assert [row["name"] for row in listed(koapy, "token", "list")] == ["trader"]


@pytest.mark.parametrize(
    ("options", "text"),
    [
        (("--host", "0.0.0.0"), "koapy cert make"),
        (("--tls-cert", "server.pem"), "--tls-key FILE"),
        (("--tokens", "none.json"), "cannot read none.json"),
        (("--tls-cert", "none.pem", "--tls-key", "none-key.pem"), "cannot read none-key.pem"),
        (("--tls-cert", "none.pem", "--tls-key", "none-key.pem", "--tls-client-ca", "ca.pem"), "--certificate"),
    ],
)
def test_serve_refuses_what_is_not_safe(
    options: tuple[str, ...], text: str, koapy: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    code, _, err = koapy("serve", "--port", "0", *options)
    assert (code, text in err) == (1, True), err


def test_options_win_over_the_file(koapy: Any, tmp_path: Path) -> None:
    config = tmp_path / "koapy.toml"
    config.write_text('[security]\naudit = "a.jsonl"\n[security.tls]\ncertificate = "c.pem"\nkey = "k.pem"\n')
    _, shown, _ = koapy(
        "serve", "--config", str(config), "--tls-key", "other.pem", "--tokens", "t.json", "--print-config"
    )
    assert f'certificate = "{tmp_path}/c.pem"' in shown
    assert 'key = "other.pem"' in shown
    assert 'tokens = "t.json"' in shown
    assert f'audit = "{tmp_path}/a.jsonl"' in shown
