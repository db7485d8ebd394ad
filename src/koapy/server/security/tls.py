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
    """What to say about a certificate whose time is nearly over; "" while it is not.

    Raises:
        SecurityError: the files cannot be read.
    """
    _, ends = _configuration(tls)
    if ends - datetime.now(UTC) > WARN:
        return ""
    return f"{tls.certificate} expires on {ends:%Y-%m-%d}; type: koapy cert renew"


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
    try:
        certificate = x509.load_pem_x509_certificates(chain)[0]
    except ValueError:
        raise SecurityError(f"{tls.certificate} is no certificate in PEM") from None
    try:
        public = load_pem_private_key(key, None).public_key()
    except (ValueError, TypeError):
        raise SecurityError(f"{tls.key} is no private key in PEM without a password") from None
    form = (Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    if public.public_bytes(*form) != certificate.public_key().public_bytes(*form):
        raise SecurityError(f"{tls.key} is not the key of {tls.certificate}")
    roots = _roots(tls.client_ca) if tls.client_ca else None
    return grpc.ssl_server_certificate_configuration([(key, chain)], roots), certificate.not_valid_after_utc


def _roots(path: Path) -> bytes:
    roots = read(path)
    try:
        x509.load_pem_x509_certificates(roots)
    except ValueError:
        raise SecurityError(f"{path} is no certificate in PEM") from None
    return roots
