"""The whole of it as an operator has it: `koapy serve` with certificates and tokens, and koapy's own client."""

from __future__ import annotations

import json
import warnings
from typing import TYPE_CHECKING, Any

import pytest

import koapy
from koapy.cli.process import ServerProcess
from koapy.client import ConnectionLost, PermissionDenied, Unauthenticated
from koapy.server.access import Role
from koapy.server.security import tokens

if TYPE_CHECKING:
    from pathlib import Path


def test_a_gateway_as_it_is_run(place: Any, tmp_path: Path, pair: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("KOAPY_TOKEN", "KOAPY_CA", "KOAPY_CERTIFICATE", "KOAPY_KEY"):
        monkeypatch.delenv(name, raising=False)
    token = place.token("trader", Role.MARKET_DATA, Role.ACCOUNT, Role.ORDER)
    place.token("looker", Role.MARKET_DATA, certificate="bot")
    ca = place.keys / "ca.pem"
    certificate, key = pair(place.keys, "server")
    config = tmp_path / "koapy.toml"
    config.write_text(
        f'[security]\ntokens = "{place.tokens.name}"\naudit = "{place.audit.name}"\n'
        f"[security.tls]\ncertificate = '{certificate}'\nkey = '{key}'\nclient_ca = '{ca}'\n"
    )
    own = pair(place.keys, "bot")
    with ServerProcess("--config", str(config)) as process, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with koapy.connect(process.address, ca=ca, certificate=own, token=token) as trader:
            trader.login()
            (account,) = trader.accounts()
            order = trader.buy("005930", 1)
            assert order.result().filled == 1
            with koapy.connect(process.address, ca=ca, certificate=own) as looker:
                looker.login()
                assert looker.GetMasterCodeName("005930") == "삼성전자"
                with pytest.raises(PermissionDenied, match="needs the role order, which looker does not have"):
                    looker.buy("005930", 1, account=account).result()
            tokens.revoke(place.tokens, "trader")
            with pytest.raises(Unauthenticated, match="revoked"):
                trader.buy("005930", 1)
        with pytest.raises(ConnectionLost):
            koapy.connect(process.address, ca=ca, token=token, wait=2).login()
    written = [json.loads(line) for line in place.audit.read_text(encoding="utf-8").splitlines()]
    assert [(each["principal"], each.get("status")) for each in written if each["rpc"] == "OrderCall"][:3] == [
        ("trader", None),
        ("trader", "OK"),
        ("looker", "PERMISSION_DENIED"),
    ]
