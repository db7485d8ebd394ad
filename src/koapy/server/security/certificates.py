"""A small certificate authority for one gateway and its clients.

One folder holds the CA (ca.pem, ca-key.pem), the server's certificate (server.pem, server-key.pem) and those of clients
(NAME.pem, NAME-key.pem). Keys are their owner's only. What clients need is ca.pem, and for mutual TLS a pair of theirs.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from koapy.server.security.files import PUBLIC, SecurityError, read, require_private, write
from koapy.server.security.tls import WARN
from koapy.server.security.tokens import NAME

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

CA, SERVER = "ca", "server"
CA_DAYS, DAYS = 3650, 397
"""Days that a CA and what it signs last. 397 is the most that browsers take, and reminds once a year."""
EARLY = timedelta(minutes=5)
"""By which clocks may differ."""
LOCALHOST = ("localhost", "127.0.0.1", "::1")
ORGANIZATION = "koapy"


@dataclass(frozen=True, slots=True)
class Certificate:
    """What a certificate says."""

    path: Path
    kind: str
    """ca, server or client."""
    name: str
    """Common name of its subject, by which `koapy token create --certificate` knows a client."""
    hosts: tuple[str, ...]
    """Names and addresses of a server."""
    since: datetime
    until: datetime
    """UTC."""
    fingerprint: str
    """SHA-256, hexadecimal."""

    def state(self, now: datetime | None = None) -> str:
        """valid, ends soon, or expired."""
        left = self.until - (now or datetime.now(UTC))
        if left <= timedelta(0):
            return "expired"
        return "ends soon" if left <= WARN else "valid"


def make(
    folder: Path,
    *,
    hosts: Sequence[str] = (),
    client: str = "",
    days: int = DAYS,
    overwrite: bool = False,
    now: datetime | None = None,
) -> list[Certificate]:
    """Make a certificate, and its CA first where the folder has none.

    Args:
        folder: where they are kept; made where there is none.
        hosts: names and IP addresses under which clients reach the server; those of this machine are always among them.
        client: the name of a client, whose certificate is made instead of the server's.
        days: how long it lasts, though never longer than its CA.
        overwrite: replace a certificate that is there.
        now: the time, where it is not now.

    Returns: what was made.

    Raises:
        SecurityError: it is there already, a bad name, or a folder that cannot be written to.
    """
    if client and (not NAME.fullmatch(client) or client in {CA, SERVER}):
        raise SecurityError(f"bad name {client!r}: letters, digits, dots and dashes, at most 64, and not ca or server")
    if client and hosts:
        raise SecurityError("a client's certificate has no names and addresses; they are the server's")
    name = client or SERVER
    path = folder / f"{name}.pem"
    if path.exists() and not overwrite:
        raise SecurityError(f"{path} is there already; koapy cert renew renews it, --overwrite makes another one")
    begun = now or datetime.now(UTC)
    made = []
    if not (folder / f"{CA}.pem").exists():
        made.append(_make_ca(folder, begun))
    names = () if client else tuple(dict.fromkeys((*LOCALHOST, *hosts)))
    made.append(_issue(folder, name, names, days, begun))
    return made


def renew(
    folder: Path, names: Iterable[str] = (), *, days: int = DAYS, now: datetime | None = None
) -> list[Certificate]:
    """Renew the server's and all clients' certificates, or those of these names, under the CA that there is.

    Each gets a new key and keeps what it says. A running server takes its new one up by itself.

    Raises:
        SecurityError: there is no such certificate or no CA, or the CA's own time is over.
    """
    known = {each.path.stem: each for each in show(folder) if each.kind != CA}
    wanted = tuple(names) or tuple(known)
    for name in wanted:
        if name not in known:
            raise SecurityError(f"{folder} has no certificate {name}; it has {', '.join(known) or 'none'}")
    begun = now or datetime.now(UTC)
    return [_issue(folder, name, known[name].hosts, days, begun) for name in wanted]


def show(folder: Path) -> list[Certificate]:
    """The certificates of a folder, the CA first.

    Raises:
        SecurityError: there is no CA.
    """
    if not (folder / f"{CA}.pem").exists():
        raise SecurityError(f"{folder} has no certificates; type: koapy cert make")
    order = {CA: 0, SERVER: 1}
    paths = [path for path in folder.glob("*.pem") if not path.stem.endswith("-key")]
    return [_described(path) for path in sorted(paths, key=lambda path: (order.get(path.stem, 2), path.stem))]


def _make_ca(folder: Path, begun: datetime) -> Certificate:
    key = ec.generate_private_key(ec.SECP256R1())
    # Told apart from an earlier one of the same folder by its time.
    subject = _subject(f"koapy CA {begun:%Y-%m-%d %H:%M:%S}")
    usage = _usage(signs=True)
    built = (
        _builder(subject, subject, key.public_key(), begun, begun + timedelta(days=CA_DAYS))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage, critical=True)
        .sign(key, hashes.SHA256())
    )
    return _store(folder, CA, key, built)


def _issue(folder: Path, name: str, hosts: Sequence[str], days: int, begun: datetime) -> Certificate:
    key_path = folder / f"{CA}-key.pem"
    require_private(key_path)
    try:
        ca = x509.load_pem_x509_certificate(read(folder / f"{CA}.pem"))
        ca_key = load_pem_private_key(read(key_path), None)
    except (ValueError, TypeError):
        raise SecurityError(f"the CA in {folder} is no certificate and key in PEM") from None
    if not isinstance(ca_key, ec.EllipticCurvePrivateKey):
        raise SecurityError(f"the CA in {folder} was not made by koapy cert make")
    if begun >= ca.not_valid_after_utc:
        raise SecurityError(
            f"the CA in {folder} has expired; make certificates in another folder and hand its ca.pem out"
        )
    key = ec.generate_private_key(ec.SECP256R1())
    until = min(begun + timedelta(days=days), ca.not_valid_after_utc)
    purpose = ExtendedKeyUsageOID.SERVER_AUTH if name == SERVER else ExtendedKeyUsageOID.CLIENT_AUTH
    authority = x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_key.public_key())
    subject = _subject(f"koapy {SERVER}" if name == SERVER else name)
    builder = (
        _builder(subject, ca.subject, key.public_key(), begun, until)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([purpose]), critical=False)
        .add_extension(authority, critical=False)
    )
    if hosts:
        builder = builder.add_extension(x509.SubjectAlternativeName(list(map(_host, hosts))), critical=False)
    return _store(folder, name, key, builder.sign(ca_key, hashes.SHA256()))


def _store(folder: Path, name: str, key: ec.EllipticCurvePrivateKey, certificate: x509.Certificate) -> Certificate:
    # The key first: a server that looks in between finds that the two do not match, and stays with the old pair.
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    write(folder / f"{name}-key.pem", private)
    path = folder / f"{name}.pem"
    write(path, certificate.public_bytes(Encoding.PEM), PUBLIC)
    return _described(path)


def _builder(
    subject: x509.Name, issuer: x509.Name, public: ec.EllipticCurvePublicKey, begun: datetime, until: datetime
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(begun - EARLY)
        .not_valid_after(until)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
    )


def _subject(name: str) -> x509.Name:
    return x509.Name(
        [x509.NameAttribute(NameOID.ORGANIZATION_NAME, ORGANIZATION), x509.NameAttribute(NameOID.COMMON_NAME, name)]
    )


def _usage(*, signs: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs,
        crl_sign=signs,
        encipher_only=False,
        decipher_only=False,
    )


def _host(text: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(text))
    except ValueError:
        pass
    try:
        return x509.DNSName(text)
    except ValueError:
        raise SecurityError(f"{text!r} is neither a host's name nor an IP address") from None


def _described(path: Path) -> Certificate:
    try:
        found = x509.load_pem_x509_certificates(read(path))[0]
    except ValueError:
        raise SecurityError(f"{path} is no certificate in PEM") from None
    names = found.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    hosts: tuple[str, ...] = ()
    try:
        listed = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        hosts = tuple(str(each.value) for each in listed)
    except x509.ExtensionNotFound:
        pass
    return Certificate(
        path,
        path.stem if path.stem in {CA, SERVER} else "client",
        str(names[0].value) if names else "",
        hosts,
        found.not_valid_before_utc,
        found.not_valid_after_utc,
        found.fingerprint(hashes.SHA256()).hex(),
    )
