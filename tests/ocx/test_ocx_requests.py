"""Queries, orders and ticks of many clients. The servicer's own tests, with the whole way to the control in between."""

from ocx_way import again

LEFT_OUT = {
    "test_a_page_that_is_asked_ahead_is_not_asked_for_a_client_that_has_gone": (
        "the double holds its own thread, not the gateway's, on which the call may have begun by then"
    ),
}

globals().update(again("test_server_requests", without=LEFT_OUT))
