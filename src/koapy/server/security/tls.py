"""TLS of a server: its certificate, who may connect, and renewed files without a restart."""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, cast

import grpc
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

from koapy.server.security.files import SecurityError, read, require_private, state_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from koapy.server.security.options import Tls

logger = logging.getLogger(__name__)

WARN = timedelta(days=30)
"""How long before its end a certificate is complained of."""


def credentials(tls: Tls) -> grpc.ServerCredentials:
    """Credentials of a server that take renewed files up without a restart.

    Raises:
        SecurityError: a file is missing, is not what it should be, is open to others, or its time is over.
    """
    require_private(tls.key)
    configuration, ends = _configuration(tls)
    if ends <= datetime.now(UTC):
        raise SecurityError(f"{tls.certificate} has expired on {ends:%Y-%m-%d}; type: koapy cert renew")
    follower = _Follower(tls)
    # Its None for "no change" is in grpc's documentation, though not in its types.
    changed = cast("Callable[[], grpc.ServerCertificateConfiguration]", follower.changed)
    return grpc.dynamic_ssl_server_credentials(configuration, changed, tls.client_ca is not None)


def expiry(tls: Tls) -> str:
    """What to say about certificates whose time is nearly over; "" while there is none.

    Raises:
        SecurityError: the files cannot be read.
    """
    told = []
    for path, remedy in ((tls.certificate, "type: koapy cert renew"), (tls.client_ca, "clients need another CA")):
        ends = min(each.not_valid_after_utc for each in _certificates(path)) if path is not None else None
        if ends is not None and ends - datetime.now(UTC) <= WARN:
            told.append(f"{path} expires on {ends:%Y-%m-%d}; {remedy}")
    return "; ".join(told)


class _Follower:
    """Says, before each handshake, whether the files are others than those in use. Called on grpc's threads."""

    def __init__(self, tls: Tls) -> None:
        self._tls = tls
        self._state = state_of(*tls.files)

    def changed(self) -> grpc.ServerCertificateConfiguration | None:
        state = state_of(*self._tls.files)
        if state == self._state:
            return None
        try:
            configuration, _ = _configuration(self._tls)
        except SecurityError as error:
            # Between a new key and its certificate the two do not match for a moment; the old pair goes on.
            logger.warning("the new certificate is not taken up: %s", error)
            return None
        self._state = state
        logger.info("a new certificate has been taken up from %s", self._tls.certificate)
        return configuration


def _configuration(tls: Tls) -> tuple[grpc.ServerCertificateConfiguration, datetime]:
    """What grpc needs, and when the certificate ends."""
    key, chain = read(tls.key), read(tls.certificate)
    certificate = _certificates(tls.certificate)[0]
    try:
        public = load_pem_private_key(key, None).public_key()
    except (ValueError, TypeError):
        raise SecurityError(f"{tls.key} is no private key in PEM without a password") from None
    form = (Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    if public.public_bytes(*form) != certificate.public_key().public_bytes(*form):
        raise SecurityError(f"{tls.key} is not the key of {tls.certificate}")
    roots = None
    if tls.client_ca is not None:
        _certificates(tls.client_ca)
        roots = read(tls.client_ca)
    return grpc.ssl_server_certificate_configuration([(key, chain)], roots), certificate.not_valid_after_utc


def _certificates(path: Path) -> list[x509.Certificate]:
    try:
        return x509.load_pem_x509_certificates(read(path))
    except ValueError:
        raise SecurityError(f"{path} is no certificate in PEM") from None
