"""TLS and mutual TLS with real connections: who gets in, who does not, and renewal while the server runs."""

from __future__ import annotations

import asyncio
import shutil
import ssl
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import grpc
import pytest

from koapy.protocol import KiwoomOpenApiPlusService_pb2 as pb
from koapy.server import Server
from koapy.server.access import Role
from koapy.server.security import Security, SecurityError, Tls, certificates
from koapy.server.security.tls import expiry

if TYPE_CHECKING:
    from pathlib import Path

STATE = pb.CallRequest(name="GetConnectState")
NAME = pb.CallRequest(name="GetMasterCodeName", arguments=[pb.Argument(string_value="005930")])
UNAVAILABLE = grpc.StatusCode.UNAVAILABLE


def served(server: Server, ca: Path) -> str:
    """The serial number of the certificate that the server shows to a new connection."""
    port = int(server.address.rpartition(":")[2])
    pem = ssl.get_server_certificate(("127.0.0.1", port), ca_certs=str(ca), timeout=10)
    return certificates.x509.load_pem_x509_certificate(pem.encode()).fingerprint(certificates.hashes.SHA256()).hex()


async def test_a_client_with_the_ca_and_a_token_gets_in(place: Any, control: Any, secured: Any, connected: Any) -> None:
    token = place.token("bot", Role.MARKET_DATA)
    ca = place.keys / "ca.pem"
    async with secured(place.security(), control) as server, connected(server, ca, token=token) as client:
        assert (await client.call("Call", STATE)).return_value.long_value == 1


async def test_strangers_do_not_get_as_far_as_a_request(
    place: Any, control: Any, strangers: Path, secured: Any, connected: Any, ending: Any
) -> None:
    token = place.token("bot", Role.MARKET_DATA)
    async with secured(place.security(), control) as server:
        for ca in (None, strangers / "ca.pem"):  # in the clear; a client that trusts somebody else
            async with connected(server, ca, token=token) as client:
                assert (await ending(client.call("Call", NAME))).code() is UNAVAILABLE
    assert control.named("GetMasterCodeName") == []


async def test_mutual_tls_asks_for_a_certificate_of_our_own(
    place: Any, control: Any, strangers: Path, pair: Any, secured: Any, connected: Any, ending: Any
) -> None:
    ca = place.keys / "ca.pem"
    old = place.folder / "old"
    shutil.copytree(place.keys, old)
    certificates.make(old, client="late", days=1, now=datetime.now(UTC) - timedelta(days=2))
    place.token("trader", Role.MARKET_DATA, certificate="bot")
    token = place.token("other", Role.MARKET_DATA)
    refused = {
        "none": None,
        "another CA's": pair(strangers, "bot"),
        "expired": pair(old, "late"),
        "a server's": pair(place.keys, "server"),
    }
    async with secured(place.security(mutual=True), control) as server:
        for what, shown in refused.items():
            async with connected(server, ca, shown, token=token) as client:
                assert (await ending(client.call("Call", STATE))).code() is UNAVAILABLE, what
        async with connected(server, ca, pair(place.keys, "bot")) as client:
            assert (await client.call("Call", STATE)).return_value.long_value == 1


async def test_a_certificate_is_known_by_its_entry_and_a_token_goes_before_it(
    place: Any, control: Any, pair: Any, secured: Any, connected: Any, ending: Any, reason: Any
) -> None:
    ca = place.keys / "ca.pem"
    token = place.token("looker", Role.ACCOUNT)
    async with secured(place.security(mutual=True), control) as server:
        async with connected(server, ca, pair(place.keys, "bot")) as client:
            unknown = await ending(client.call("Call", NAME))
            assert unknown.code() is grpc.StatusCode.UNAUTHENTICATED
            assert reason(unknown)[0] == "CERTIFICATE_UNKNOWN"
        place.token("trader", Role.MARKET_DATA, certificate="bot")
        async with connected(server, ca, pair(place.keys, "bot")) as client:
            assert (await client.call("Call", NAME)).return_value.string_value == "종목005930"
        async with connected(server, ca, pair(place.keys, "bot"), token=token) as client:
            assert (await ending(client.call("Call", NAME))).code() is grpc.StatusCode.PERMISSION_DENIED


async def test_a_renewed_certificate_is_shown_without_a_restart(
    place: Any, control: Any, tmp_path: Path, secured: Any, connected: Any
) -> None:
    keys = tmp_path / "keys"
    made = certificates.make(keys)
    ca = keys / "ca.pem"
    security = replace(place.security(), tls=Tls(certificate=keys / "server.pem", key=keys / "server-key.pem"))
    token = place.token("bot", Role.MARKET_DATA)
    async with secured(security, control) as server, connected(server, ca, token=token) as client:
        await client.call("Call", STATE)
        assert await asyncio.to_thread(served, server, ca) == made[1].fingerprint
        # Half of a renewal: the server stays with the pair that it has.
        old = (keys / "server.pem").read_bytes()
        (renewed,) = certificates.renew(keys, ["server"])
        new = (keys / "server.pem").read_bytes()
        (keys / "server.pem").write_bytes(old)
        assert await asyncio.to_thread(served, server, ca) == made[1].fingerprint
        (keys / "server.pem").write_bytes(new)
        assert await asyncio.to_thread(served, server, ca) == renewed.fingerprint != made[1].fingerprint
        await client.call("Call", STATE)  # the connection that was there goes on
        async with connected(server, ca, token=token) as later:
            await later.call("Call", STATE)


@pytest.mark.parametrize("broken", ["missing", "open", "mismatched", "no key", "no certificate", "expired"])
async def test_a_server_does_not_start_with_bad_files(broken: str, tmp_path: Path, control: Any) -> None:
    began = datetime.now(UTC) - timedelta(days=400 if broken == "expired" else 0)
    certificates.make(tmp_path, now=began)
    certificate, key = tmp_path / "server.pem", tmp_path / "server-key.pem"
    told = {
        "missing": ("cannot read", key.unlink),
        "open": ("chmod 600", lambda: key.chmod(0o640)),
        "mismatched": ("is not the key", lambda: key.write_bytes((tmp_path / "ca-key.pem").read_bytes())),
        "no key": ("no private key", lambda: key.write_bytes(b"nonsense")),
        "no certificate": ("no certificate", lambda: certificate.write_bytes(b"nonsense")),
        "expired": ("has expired", lambda: None),
    }
    text, break_it = told[broken]
    break_it()
    with pytest.raises(SecurityError, match=text):
        async with Server(control, port=0, security=Security(tls=Tls(certificate=certificate, key=key))):
            pass


def test_an_end_that_is_near_is_told(tmp_path: Path) -> None:
    certificates.make(tmp_path, days=40)
    tls = Tls(certificate=tmp_path / "server.pem", key=tmp_path / "server-key.pem")
    assert expiry(tls) == ""
    certificates.renew(tmp_path, ["server"], days=20)
    assert "koapy cert renew" in expiry(tls)
    certificates.renew(tmp_path, ["server"])
    assert expiry(tls) == ""
    old = tmp_path / "old"
    certificates.make(old, now=datetime.now(UTC) - timedelta(days=3640))
    assert "another CA" in expiry(replace(tls, client_ca=old / "ca.pem"))


@pytest.mark.parametrize("host", ["0.0.0.0", "[::]", "192.0.2.1", "gateway.lan"])
async def test_off_loopback_it_takes_tls_and_tokens_or_plain_words(host: str, place: Any, control: Any) -> None:
    place.token("bot", Role.MARKET_DATA)
    for half, missing in (
        (Security(), "no TLS and no authentication"),
        (Security(tls=place.tls()), "no authentication"),
        (Security(tokens=place.tokens), "no TLS"),
    ):
        with pytest.raises(SecurityError, match=missing):
            async with Server(control, host, 0, security=half):
                pass
        half.require_safe("127.0.0.1")
    with pytest.raises(SecurityError, match="open to other machines"):
        async with Server(control, host, 0):
            pass
    place.security().require_safe(host)
    Security(insecure_off_loopback=True).require_safe(host)


async def test_client_certificates_without_roles_are_refused(place: Any, control: Any) -> None:
    with pytest.raises(SecurityError, match="--certificate"):
        async with Server(control, port=0, security=Security(tls=place.tls(mutual=True))):
            pass


async def test_tracing_would_print_tokens(place: Any, control: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    place.token("bot", Role.MARKET_DATA)
    monkeypatch.setenv("GRPC_TRACE", "http")
    with pytest.raises(SecurityError, match="GRPC_TRACE"):
        async with Server(control, port=0, security=place.security()):
            pass


async def test_another_ca_of_clients_is_taken_up_without_a_restart(
    place: Any, control: Any, strangers: Path, pair: Any, secured: Any, connected: Any, ending: Any
) -> None:
    trusted = place.folder / "clients.pem"
    trusted.write_bytes((place.keys / "ca.pem").read_bytes())
    security = replace(place.security(), tls=replace(place.tls(), client_ca=trusted))
    place.token("trader", Role.MARKET_DATA, certificate="bot")
    async with secured(security, control) as server:
        async with connected(server, place.keys / "ca.pem", pair(strangers, "bot")) as client:
            assert (await ending(client.call("Call", STATE))).code() is UNAVAILABLE
        trusted.write_bytes((strangers / "ca.pem").read_bytes())
        async with connected(server, place.keys / "ca.pem", pair(strangers, "bot")) as client:
            await client.call("Call", STATE)
        async with connected(server, place.keys / "ca.pem", pair(place.keys, "bot")) as client:
            assert (await ending(client.call("Call", STATE))).code() is UNAVAILABLE
