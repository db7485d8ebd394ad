"""Clients that do not read. The servicer's own tests, with the whole way to the control in between."""

from ocx_way import again

LEFT_OUT = {
    "test_a_stream_that_does_not_read_gets_what_it_asked_for_and_the_count_of_the_rest": "ticks are told later",
}

globals().update(again("test_server_slow", without=LEFT_OUT))
