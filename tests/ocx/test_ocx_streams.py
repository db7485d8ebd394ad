"""Ticks and events in batches. The servicer's own tests, with the whole way to the control in between."""

from ocx_way import again

LEFT_OUT = {
    "test_a_tick_goes_out_at_once_and_what_gathers_meanwhile_in_one": "300 ticks come one by one, and gather little",
    "test_a_value_that_is_no_text_ends_the_streams_that_want_it": "COM has a text for every value",
}

globals().update(again("test_server_streams", without=LEFT_OUT))
