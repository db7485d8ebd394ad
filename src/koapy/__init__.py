"""koapy: a gRPC gateway to Kiwoom Securities' OpenAPI+, with an embedded simulated exchange.

    koapy.serve(control)        serve a control, blocking, until interrupted
    koapy.serve_async(control)  the same as a coroutine
    koapy.connect()             a client of a running gateway
    koapy.SimulatedControl()    the embedded exchange

What is not used is not imported.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from koapy.client import AsyncClient, Client, connect
    from koapy.server import KiwoomOpenApiPlusServiceServicer, Security, Settings, serve, serve_async
    from koapy.simulation.control import SimulatedControl

__version__ = "0.1.0"

_HOMES = {
    "AsyncClient": "koapy.client",
    "Client": "koapy.client",
    "KiwoomOpenApiPlusServiceServicer": "koapy.server",
    "Security": "koapy.server",
    "Settings": "koapy.server",
    "SimulatedControl": "koapy.simulation.control",
    "connect": "koapy.client",
    "serve": "koapy.server",
    "serve_async": "koapy.server",
}

__all__ = [
    "AsyncClient",
    "Client",
    "KiwoomOpenApiPlusServiceServicer",
    "Security",
    "Settings",
    "SimulatedControl",
    "connect",
    "serve",
    "serve_async",
]


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(home), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
