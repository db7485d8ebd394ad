"""A recorded day. The servicer's own test, with the whole way to the control in between."""

from ocx_way import again

globals().update(again("test_server_history"))
