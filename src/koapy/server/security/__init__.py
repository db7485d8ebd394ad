"""Who reaches a server: TLS, tokens and certificates with roles, and the audit log of who did what.

security = Security(tls=Tls(certificate=..., key=...), tokens=Path("tokens.json"), audit=Path("audit.jsonl"))
serve(control, "0.0.0.0", security=security)
"""

from koapy.server.security.files import SecurityError
from koapy.server.security.options import Security, Tls

__all__ = ["Security", "SecurityError", "Tls"]
