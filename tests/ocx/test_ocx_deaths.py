"""Servers and clients that die. The servicer's own tests, with the whole way to the control in between."""

from ocx_way import again

LEFT_OUT = {"test_order_events_are_never_dropped_the_stream_ends_instead": "its flood takes minutes on this way"}

globals().update(again("test_server_deaths", without=LEFT_OUT))
