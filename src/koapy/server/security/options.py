"""What a server is told about its safety."""

from __future__ import annotations

import ipaddress
import os
from dataclasses import dataclass
from pathlib import Path  # noqa: TC003  part of a public signature
from typing import TYPE_CHECKING

from koapy.server.security.files import SecurityError
from koapy.server.security.guard import Guard

if TYPE_CHECKING:
    import grpc

    from koapy.server.security.audit import Audit
    from koapy.server.security.tokens import Tokens


@dataclass(frozen=True, slots=True, kw_only=True)
class Tls:
    """The files of a server's TLS, PEM. They are read again at the first connection after they have changed."""

    certificate: Path
    """The server's certificate, and what stands between it and its CA."""
    key: Path
    """Its private key, readable by its owner only."""
    client_ca: Path | None = None
    """Whose certificates clients must show (mutual TLS); None: none is asked for."""

    @property
    def files(self) -> tuple[Path, ...]:
        """All of them."""
        return (self.certificate, self.key, *([self.client_ca] if self.client_ca else []))


@dataclass(frozen=True, slots=True, kw_only=True)
class Security:
    """Who may reach a server, and how. The default is for loopback: no encryption, everybody may do everything."""

    tls: Tls | None = None
    """None: not encrypted."""
    tokens: Path | None = None
    """The file of `koapy token`, which says who may do what; None: nobody is asked who they are."""
    audit: Path | None = None
    """Where it is written down who did what; None: nowhere."""
    insecure_off_loopback: bool = False
    """Listen to other machines even without encryption or authentication."""

    def require_safe(self, host: str) -> None:
        """Refuse what would let strangers trade.

        Raises:
            SecurityError: other machines reach `host`, and TLS or tokens are missing; or half of mutual TLS is.
        """
        if self.tls is not None and self.tls.client_ca is not None and self.tokens is None:
            raise SecurityError(
                "client certificates are asked for, but nothing says what each may do: name a tokens file that says "
                "so (koapy token create NAME --certificate COMMON_NAME --role ROLE)"
            )
        missing = [*(["TLS"] if self.tls is None else []), *(["authentication"] if self.tokens is None else [])]
        if missing and not self.insecure_off_loopback and not is_loopback(host):
            raise SecurityError(
                f"{host} is open to other machines, and the server has no {' and no '.join(missing)}: whoever "
                "reaches it trades. Use 127.0.0.1, or give it a certificate (koapy cert make) and tokens "
                "(koapy token create), or in a closed network say --insecure-off-loopback"
            )
        if self.tokens is not None and os.environ.get("GRPC_TRACE"):
            raise SecurityError("GRPC_TRACE is set: gRPC would print every token; unset it")

    def credentials(self) -> grpc.ServerCredentials | None:
        """TLS as grpc takes it; None without.

        Raises:
            SecurityError: the files are missing, wrong, open to others, or their time is over.
        """
        if self.tls is None:
            return None
        # Only here: a server without TLS need not wait for the library.
        from koapy.server.security.tls import credentials

        return credentials(self.tls)

    def guard(self) -> Guard:
        """The door of a server that is told this; to be closed.

        Raises:
            SecurityError: the tokens cannot be read, or the audit log cannot be written.
        """
        tokens = _tokens(self.tokens) if self.tokens is not None else None
        return Guard(tokens, _audit(self.audit) if self.audit is not None else None, self._reminder)

    def _reminder(self) -> str:
        if self.tls is None:
            return ""
        from koapy.server.security.tls import expiry

        return expiry(self.tls)


def _tokens(path: Path) -> Tokens:
    # Only here: where everybody comes in there are none, and what hashes them takes its time to load.
    from koapy.server.security.tokens import Tokens

    return Tokens(path)


def _audit(path: Path) -> Audit:
    # Only here: what rotates files takes its time to load.
    from koapy.server.security.audit import Audit

    return Audit(path)


def is_loopback(host: str) -> bool:
    """Whether `host` is reached from this machine only."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host.lower() == "localhost"
