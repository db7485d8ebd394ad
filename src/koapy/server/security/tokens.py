"""Bearer tokens and certificates, each with a name and roles, in one file that a running server follows.

A token is 256 random bits, so its plain SHA-256 is stored: a slow hash makes guessing passwords dear, and there is
nothing to guess here. A certificate (mutual TLS) stands in the file by the common name of its subject.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import logging
import re
import secrets
from dataclasses import asdict, astuple, dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from koapy.server.access import LOCAL, Principal, Role
from koapy.server.security.files import SecurityError, locked, read, require_private, state_of, write

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

logger = logging.getLogger(__name__)

PREFIX = "koapy_"
"""By which people and programs that look for leaked secrets know a token."""
TOKEN_BYTES = 32
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
LONGEST_COMMON_NAME = 64


@dataclass(frozen=True, slots=True)
class Entry:
    """One who may call."""

    name: str
    roles: tuple[str, ...]
    created: str
    """UTC, ISO 8601."""
    expires: str = ""
    """The same; "" for never."""
    digest: str = ""
    """SHA-256 of the token, hexadecimal; "" for a certificate's."""
    certificate: str = ""
    """Common name of the certificate's subject; "" for a token's."""

    @property
    def principal(self) -> Principal:
        """Who that is."""
        return Principal(self.name, frozenset(map(Role, self.roles)))

    def expired(self, now: datetime) -> bool:
        """Whether its time is over."""
        return bool(self.expires) and now >= datetime.fromisoformat(self.expires)


def digest_of(token: str) -> str:
    """What is stored of a token."""
    return hashlib.sha256(token.encode()).hexdigest()


def load(path: Path) -> tuple[Entry, ...]:
    """The entries of a tokens file.

    Raises:
        SecurityError: it cannot be read, or is not one.
    """
    try:
        entries = tuple(_entry(each) for each in json.loads(read(path))["entries"])
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        # Not the error's own text: it may show what stands there.
        raise SecurityError(
            f"{path} is no tokens file ({type(error).__name__}); `koapy token create` makes one"
        ) from None
    if len({each.name for each in entries}) < len(entries):
        raise SecurityError(f"{path} has two entries of one name")
    return entries


def _entry(fields: dict[str, Any]) -> Entry:
    entry = Entry(**(fields | {"roles": tuple(fields["roles"])}))
    if not all(isinstance(each, str) for each in astuple(replace(entry, roles=()))[2:]):
        raise TypeError
    named = isinstance(entry.name, str) and NAME.fullmatch(entry.name) and entry.name != LOCAL.name
    if not named or bool(entry.digest) == bool(entry.certificate):
        raise ValueError
    entry.principal  # noqa: B018  unknown roles are errors
    entry.expired(datetime.now(UTC))  # so are times that are none, or have no zone
    return entry


def create(
    path: Path,
    name: str,
    roles: Iterable[Role],
    *,
    days: float | None = None,
    certificate: str = "",
    now: datetime | None = None,
) -> str:
    """Add an entry, and give its token, which is stored nowhere; "" for a certificate's.

    Args:
        path: the tokens file; made where there is none.
        name: of who calls; stands in the journal and the audit log.
        roles: at least one.
        days: until it expires; None for never.
        certificate: common name of a client certificate that takes the token's place.
        now: the time, where it is not now.

    Raises:
        SecurityError: a bad name or one that is taken, no role, a file that cannot be written.
    """
    given = tuple(sorted(set(roles)))
    if not NAME.fullmatch(name) or name == LOCAL.name:
        raise SecurityError(f"bad name {name!r}: letters, digits, dots and dashes, at most 64, and not {LOCAL.name}")
    if not given:
        raise SecurityError(f"{name} has no role; give it at least one of {', '.join(Role)}")
    if len(certificate) > LONGEST_COMMON_NAME:
        raise SecurityError(f"the common name of a certificate has at most {LONGEST_COMMON_NAME} characters")
    begun = now or datetime.now(UTC)
    expires = (begun + timedelta(days=days)).isoformat(timespec="seconds") if days is not None else ""
    token = "" if certificate else PREFIX + secrets.token_urlsafe(TOKEN_BYTES)
    entry = Entry(
        name,
        tuple(map(str, given)),
        begun.isoformat(timespec="seconds"),
        expires,
        digest_of(token) if token else "",
        certificate,
    )
    with locked(path):
        entries = load(path) if path.exists() else ()
        if any(each.name == name for each in entries):
            raise SecurityError(f"there is a {name} already; revoke it first, or choose another name")
        if certificate and any(each.certificate == certificate for each in entries):
            raise SecurityError(f"the certificate {certificate} has an entry already")
        _store(path, (*entries, entry))
    return token


def revoke(path: Path, name: str) -> None:
    """Take an entry out; a running server ends its streams within seconds.

    Raises:
        SecurityError: there is none of this name, or the file cannot be written.
    """
    with locked(path):
        entries = load(path)
        rest = tuple(each for each in entries if each.name != name)
        if len(rest) == len(entries):
            known = ", ".join(each.name for each in entries) or "nobody"
            raise SecurityError(f"{path} has no {name}; it has {known}")
        _store(path, rest)


def _store(path: Path, entries: Iterable[Entry]) -> None:
    text = json.dumps({"entries": [asdict(each) for each in entries]}, ensure_ascii=False, indent=1)
    write(path, text.encode())


class Tokens:
    """The tokens file of a running server: read again when it has changed.

    A file that can no longer be read lets nobody in, because what was revoked in it cannot be known.

    Args:
        path: the file.
        now: the time in UTC.

    Raises:
        SecurityError: the file cannot be read, is not one, or others can read it.
    """

    def __init__(self, path: Path, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        require_private(path)
        self._path = path
        self._now = now
        self._state = state_of(path)
        self._entries = load(path)

    def by_token(self, token: str) -> Entry | None:
        """Whose token this is, expired or not."""
        digest = digest_of(token)
        found = None
        # All of them, and in constant time each: how long it takes says nothing about what is stored.
        for entry in self.entries():
            if entry.digest and hmac.compare_digest(entry.digest, digest):
                found = entry
        return found

    def by_certificate(self, common_name: str) -> Entry | None:
        """Whose certificate this is, expired or not."""
        return next((each for each in self.entries() if each.certificate and each.certificate == common_name), None)

    def expired(self, entry: Entry) -> bool:
        """Whether the entry's time is over."""
        return entry.expired(self._now())

    def holds(self, entry: Entry) -> bool:
        """Whether the file still says exactly this: not revoked, not changed."""
        return entry in self.entries()

    def entries(self) -> tuple[Entry, ...]:
        """What the file says now."""
        state = state_of(self._path)
        if state != self._state:
            try:
                self._entries = load(self._path)
            except SecurityError as error:
                logger.error("nobody can log in: %s", error)
                self._entries = ()
            self._state = state
        return self._entries
