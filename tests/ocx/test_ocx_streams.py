"""Ticks and events in batches. The servicer's own tests, with the whole way to the control in between."""

from ocx_way import again

LEFT_OUT = {
    "test_a_tick_goes_out_at_once_and_what_gathers_meanwhile_in_one": "takes ticks for told when they are fired",
    "test_a_stream_that_does_not_read_is_told_in_the_stream_what_it_missed": "the same",
    "test_a_value_that_is_no_text_ends_the_streams_that_want_it": "COM has a text for every value",
    "test_batches_on_a_server_of_ones_own": "makes a servicer of its own",
}

globals().update(again("test_server_streams", without=LEFT_OUT))
