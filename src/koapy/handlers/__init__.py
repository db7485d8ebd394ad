"""The process in which a client's own event handler runs, and the bases that its class may have.

    gateway -> warden (kills and reaps) -> worker (confined; the client's code)

The gateway speaks with the worker over one socket in frames; nothing here imports grpc or the server, so that a handler
starts quickly and finds little of the gateway in its memory.
"""
