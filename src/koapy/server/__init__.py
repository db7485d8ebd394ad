"""The gateway: a gRPC servicer over any control, and servers that run it.

from koapy.server import serve
serve(control)                      # until interrupted

async with Server(control) as server:
    print(server.address)
    await server.wait()
"""

from koapy.server.security import Security
from koapy.server.servicer import KiwoomOpenApiPlusServiceServicer
from koapy.server.serving import Server, serve, serve_async
from koapy.server.settings import Settings

__all__ = ["KiwoomOpenApiPlusServiceServicer", "Security", "Server", "Settings", "serve", "serve_async"]
