"""Clients and servers that know each other by certificates and tokens, and what a client keeps to itself."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import traceback
import warnings

import pytest

from koapy.cli import main
from koapy.cli.connection import connected
from koapy.client import (
    AsyncClient,
    Client,
    ConnectionLost,
    InvalidArgument,
    KoapyError,
    KoapyWarning,
    PermissionDenied,
    Unauthenticated,
    connect,
)
from koapy.client.connection import is_local
from koapy.server import Server
from koapy.server.access import Role
from koapy.server.security import Security, Tls, certificates, tokens
from koapy.simulation.control import SimulatedControl

SECRET = "s3cret-of-the-test"
NAMES = ("KOAPY_ADDRESS", "KOAPY_TOKEN", "KOAPY_CA", "KOAPY_CERTIFICATE", "KOAPY_KEY", "KOAPY_TOKEN_FILE")


@pytest.fixture(autouse=True)
def environment(monkeypatch):
    """An environment that says nothing, to be set by the test."""
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)
    return monkeypatch


@pytest.fixture(scope="module")
def keys(tmp_path_factory):
    folder = tmp_path_factory.mktemp("keys")
    certificates.make(folder)
    certificates.make(folder, client="bot")
    return folder


@pytest.fixture(scope="module")
def strangers(tmp_path_factory):
    folder = tmp_path_factory.mktemp("strangers")
    certificates.make(folder)
    return folder


@contextlib.asynccontextmanager
async def serving(security):
    control = SimulatedControl(login_delay=0.0)
    async with Server(control, port=0, security=security) as server:
        yield server.address
    control.close()


@pytest.fixture
def secure(keys, tmp_path):
    """A server's security, and the token that it knows."""
    file = tmp_path / "tokens.json"
    token = tokens.create(file, "reader", [Role.MARKET_DATA])
    return Security(tls=Tls(certificate=keys / "server.pem", key=keys / "server-key.pem"), tokens=file), token


@pytest.mark.parametrize("told", ["arguments", "environment"])
async def test_a_token_over_tls(secure, keys, environment, told):
    security, token = secure
    async with serving(security) as address:
        options = {"ca": keys / "ca.pem", "token": token}
        if told == "environment":
            environment.setenv("KOAPY_ADDRESS", address)
            environment.setenv("KOAPY_CA", str(keys / "ca.pem"))
            environment.setenv("KOAPY_TOKEN", token)
            address, options = None, {}
        async with AsyncClient(address, **options) as client:
            assert not await client.connected()
            assert (await client.status()).state == "NOT_LOGGED_IN"
            with pytest.raises(PermissionDenied, match="role"):
                await client.halt("no right to")
        with await asyncio.to_thread(connect, address, **options) as client:
            assert not await asyncio.to_thread(client.connected)


@pytest.mark.parametrize("given", ["", "unknown"])
async def test_who_is_not_known(secure, keys, given):
    security, _ = secure
    async with serving(security) as address, AsyncClient(address, ca=keys / "ca.pem", token=given) as client:
        with pytest.raises(Unauthenticated, match="token") as caught:
            await client.connected()
        assert caught.value.reason == ("TOKEN_UNKNOWN" if given else "TOKEN_MISSING")


async def test_a_revoked_token_ends_what_is_open(secure, keys):
    security, token = secure
    async with serving(security) as address, AsyncClient(address, ca=keys / "ca.pem", token=token) as client:
        stream = client.listen("OnEventConnect")
        waiting = asyncio.ensure_future(anext(stream))
        await client.connected()
        tokens.revoke(security.tokens, "reader")
        with pytest.raises(Unauthenticated):
            await waiting


async def test_mutual_tls(keys, tmp_path):
    file = tmp_path / "tokens.json"
    tokens.create(file, "bot", [Role.MARKET_DATA], certificate="bot")
    tls = Tls(certificate=keys / "server.pem", key=keys / "server-key.pem", client_ca=keys / "ca.pem")
    pair = (keys / "bot.pem", keys / "bot-key.pem")
    async with serving(Security(tls=tls, tokens=file)) as address:
        async with AsyncClient(address, ca=keys / "ca.pem", certificate=pair) as client:
            assert not await client.connected()
        async with AsyncClient(address, ca=keys / "ca.pem") as client:
            with pytest.raises(ConnectionLost):
                await client.connected()


@pytest.mark.parametrize("how", ["another CA", "no TLS"])
async def test_a_server_that_is_not_what_the_client_expects(secure, strangers, how):
    security, token = secure
    async with serving(security) as address:
        options = {"ca": strangers / "ca.pem"} if how == "another CA" else {}
        async with AsyncClient(address, token=token, reconnect=0, **options) as client:
            with pytest.raises(ConnectionLost) as caught:
                await client.connected()
        if how == "another CA":
            assert not caught.value.reached
            assert "no TLS with" in str(caught.value)


@pytest.mark.parametrize("kind", [Client, AsyncClient])
@pytest.mark.parametrize(
    "how",
    [
        {"token": SECRET},
        {"metadata": {"authorization": f"Bearer {SECRET}"}},
        {"metadata": [("Authorization", f"Bearer {SECRET}")]},
        {"token": SECRET, "tls": False},
    ],
)
@pytest.mark.parametrize("address", ["192.0.2.1:5943", "example.com:5943", "localhost.example.com:5943", "[::]:5943"])
def test_a_token_does_not_travel_unencrypted(kind, how, address):
    with pytest.raises(InvalidArgument, match="is not sent to") as caught:
        kind(address, **how)
    assert SECRET not in str(caught.value)


def test_a_token_of_the_environment_neither(environment):
    environment.setenv("KOAPY_TOKEN", SECRET)
    with pytest.raises(InvalidArgument, match="unencrypted"):
        Client("192.0.2.1:5943")
    Client("192.0.2.1:5943", token="").close()


@pytest.mark.parametrize(
    ("address", "local"),
    [
        ("127.0.0.1:1", True),
        ("127.9.9.9:1", True),
        ("localhost:1", True),
        ("LocalHost:1", True),
        ("[::1]:1", True),
        ("unix:gateway.sock", True),
        ("0.0.0.0:1", False),
        ("127.0.0.1.example.com:1", False),
        ("10.0.0.1:1", False),
        ("ipv4:127.0.0.1:1,10.0.0.1:1", False),
        ("dns:///localhost:1", False),
        ("localhost", False),
        ("", False),
    ],
)
def test_what_stays_on_this_machine(address, local):
    assert is_local(address) is local


@pytest.mark.parametrize("token", [f"{SECRET}\nx", f"{SECRET}ä", f"{SECRET}\x00"])
async def test_a_token_is_not_shown(token, unused_tcp_port, caplog):
    caplog.set_level(logging.DEBUG)
    address = f"127.0.0.1:{unused_tcp_port}"
    with pytest.raises(InvalidArgument) as caught:
        Client(address, token=token)
    assert SECRET not in "".join(traceback.format_exception(caught.value))
    async with AsyncClient(address, token=SECRET) as client:
        assert SECRET not in repr(client)
        assert SECRET not in repr(client._connection)
        with pytest.raises(KoapyError) as failed:
            await client.connected()
        assert SECRET not in "".join(traceback.format_exception(failed.value))
    assert SECRET not in caplog.text


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"ca": "nowhere.pem"}, "cannot read nowhere.pem"),
        ({"certificate": ("bot.pem", "")}, "needs its key"),
    ],
)
def test_files_that_are_missing(options, text):
    with pytest.raises(InvalidArgument, match=text):
        Client(**options)


class TestCommands:
    async def run(self, *words):
        """A command in a thread: exit code and nothing else, as what it prints is captured."""

        def call():
            with pytest.raises(SystemExit) as ended:
                main(words)
            return ended.value.code

        return await asyncio.to_thread(call)

    async def test_tls_and_a_token_from_a_file(self, secure, keys, tmp_path, capsys):
        security, token = secure
        (tmp_path / "token").write_text(f"{token}\n")
        async with serving(security) as address:
            given = "--ca", str(keys / "ca.pem"), "--token-file", str(tmp_path / "token")
            assert await self.run(*given, "status", "--address", address) is not None
            assert "NOT_LOGGED_IN" in capsys.readouterr().out
            assert await self.run("--ca", str(keys / "ca.pem"), "status", "--address", address) == 1
        assert "token" in capsys.readouterr().err

    def test_warnings_are_lines_for_people_each_time(self, capsys, unused_tcp_port):
        with connected(f"127.0.0.1:{unused_tcp_port}", login=False):
            for _ in range(2):
                warnings.warn("the connection was lost", KoapyWarning, stacklevel=1)
        assert capsys.readouterr().err == 2 * "koapy: the connection was lost\n"

    @pytest.mark.parametrize(
        ("words", "text"),
        [
            (["--token-file", "nowhere"], "cannot read nowhere"),
            (["--certificate", "a.pem"], "go together"),
            (["--ca", "nowhere.pem"], "cannot read nowhere.pem"),
        ],
    )
    async def test_what_cannot_be(self, words, text, capsys):
        assert await self.run(*words, "status") == 1
        error = capsys.readouterr().err
        assert text in error
        assert error.count("\n") == 1
