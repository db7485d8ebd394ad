"""`koapy cert` and `koapy token`: certificates of a server and its clients, and who may do what."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from koapy.cli.app import CommandError, Json, command
from koapy.cli.output import show, table, write_json
from koapy.cli.state import state_folder

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from koapy.server.security.certificates import Certificate

CERTIFICATES, TOKENS = "certificates", "tokens.json"

Folder = Annotated[
    Path | None,
    typer.Option("--dir", metavar="DIR", help="Where the CA and its certificates are; unless given, the user's own."),
]
Days = Annotated[int, typer.Option(min=1, max=3650, help="How long it lasts, though no longer than its CA.")]
File = Annotated[
    Path | None, typer.Option("--tokens", metavar="FILE", help="The tokens file; unless given, the user's own.")
]
Name = Annotated[str, typer.Argument(help="Of who calls; stands in the journal and the audit log.")]


def register(app: typer.Typer) -> None:
    """Add `cert` and `token` to `app`."""
    cert, token = typer.Typer(), typer.Typer()
    command(
        cert,
        make,
        "koapy cert make",
        "koapy cert make --host gateway.lan --host 192.0.2.7",
        "koapy cert make --client bot",
    )
    command(cert, renew, "koapy cert renew", "koapy cert renew server")
    command(cert, show_certificates, "koapy cert show", name="show")
    app.add_typer(
        cert, name="cert", help="Make, renew and show the certificates of TLS.", epilog="Example: koapy cert make"
    )
    command(
        token,
        create,
        "koapy token create bot --role market-data --role account --role order --expires 90",
        "koapy token create bot --role market-data --certificate bot",
    )
    command(token, list_tokens, "koapy token list", name="list")
    command(token, revoke, "koapy token revoke bot")
    app.add_typer(
        token, name="token", help="Say who may call a server, and what each may do.", epilog="Example: koapy token list"
    )


def make(
    host: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="A name or IP address of the server, besides localhost; several are taken."),
    ] = None,
    client: Annotated[str, typer.Option(metavar="NAME", help="A client's certificate instead of the server's.")] = "",
    days: Days = 397,
    folder: Folder = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a certificate that is there.")] = False,
) -> None:
    """Make a server's or a client's certificate, and first a CA where there is none."""
    from koapy.server.security import certificates

    with _told():
        made = certificates.make(
            folder or state_folder() / CERTIFICATES, hosts=host or (), client=client, days=days, overwrite=overwrite
        )
        _print(made)
    typer.echo("clients need ca.pem; the keys (*-key.pem) stay where they are needed, and ca-key.pem best goes offline")


def renew(
    names: Annotated[list[str] | None, typer.Argument(help="server, or clients' names; all unless given.")] = None,
    days: Days = 397,
    folder: Folder = None,
) -> None:
    """Renew certificates under the CA that there is; a running server takes its own up by itself."""
    from koapy.server.security import certificates

    with _told():
        _print(certificates.renew(folder or state_folder() / CERTIFICATES, names or (), days=days))


def show_certificates(folder: Folder = None, as_json: Json = False) -> None:
    """Show what certificates there are, and when they end."""
    from koapy.server.security import certificates

    with _told():
        _print(certificates.show(folder or state_folder() / CERTIFICATES), as_json=as_json)


def create(
    name: Name,
    role: Annotated[
        list[str],
        typer.Option(metavar="ROLE", help="market-data, account, order, admin or custom-code; several are taken."),
    ],
    expires: Annotated[float | None, typer.Option(metavar="DAYS", min=0.001, help="Never unless given.")] = None,
    certificate: Annotated[
        str, typer.Option(metavar="COMMON_NAME", help="A client certificate that takes the token's place.")
    ] = "",
    file: File = None,
) -> None:
    """Make a token and print it, once; it is stored as a hash only."""
    from koapy.server.access import Role
    from koapy.server.security import tokens

    unknown = [each for each in role if each not in set(Role)]
    if unknown:
        raise CommandError(f"no role {unknown[0]!r}; the roles are {', '.join(Role)}")
    with _told():
        path = file or state_folder() / TOKENS
        token = tokens.create(path, name, [Role(each) for each in role], days=expires, certificate=certificate)
    typer.echo(token or f"the certificate {certificate} is {name}")


def list_tokens(file: File = None, as_json: Json = False) -> None:
    """Show who may call, and what each may do; tokens themselves are not kept."""
    from koapy.server.security import tokens

    now = datetime.now(UTC)
    with _told():
        entries = tokens.load(file or state_folder() / TOKENS)
    rows = [
        {
            "name": each.name,
            "roles": list(each.roles),
            "by": f"certificate {each.certificate}" if each.certificate else "token",
            "created": each.created,
            "expires": each.expires or None,
            "expired": each.expired(now),
        }
        for each in entries
    ]
    if as_json:
        write_json(rows)
        return
    cells = [
        [
            each.name,
            ", ".join(each.roles),
            row["by"],
            each.created,
            "expired" if row["expired"] else each.expires or "never",
        ]
        for row, each in zip(rows, entries, strict=True)
    ]
    show(*table(["name", "roles", "by", "created", "expires"], cells))


def revoke(name: Name, file: File = None) -> None:
    """Take a token or certificate out; a running server ends its streams within seconds."""
    from koapy.server.security import tokens

    with _told():
        tokens.revoke(file or state_folder() / TOKENS, name)


@contextmanager
def _told() -> Iterator[None]:
    from koapy.server.security import SecurityError

    try:
        yield
    except SecurityError as error:
        raise CommandError(str(error)) from error


def _print(certificates: Sequence[Certificate], *, as_json: bool = False) -> None:
    rows = [
        {
            "kind": each.kind,
            "name": each.name,
            "hosts": list(each.hosts),
            "until": each.until.isoformat(),
            "state": each.state(),
            "sha256": each.fingerprint,
            "file": str(each.path),
        }
        for each in certificates
    ]
    if as_json:
        write_json(rows)
        return
    cells = [
        [each.kind, each.name, ", ".join(each.hosts), f"{each.until:%Y-%m-%d}", each.state(), each.path]
        for each in certificates
    ]
    show(*table(["kind", "name", "hosts", "until", "state", "file"], cells))
