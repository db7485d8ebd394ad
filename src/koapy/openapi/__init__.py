"""What OpenAPI+ is: its functions, events, TRs, FIDs, real types, codes and rules, as typed tables.

Each module is one table or one set of rules, loaded on first use; importing this package loads none of them:

    from koapy.openapi.tr import tr
    tr("opt10081").multi_names

No I/O but the reading of the package's own tables, no threads, nothing of the rest of koapy.
"""

from importlib import import_module
from types import ModuleType

__all__ = [
    "calendar",
    "chejan",
    "error",
    "fid",
    "functions",
    "install",
    "limit",
    "listing",
    "login",
    "market",
    "message",
    "order",
    "realtype",
    "search",
    "tr",
]


def __getattr__(name: str) -> ModuleType:
    """Import a module of the catalogue when it is first named."""
    if name in __all__:
        return import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
