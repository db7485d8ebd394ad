"""Controls that raise. The servicer's own tests, with the whole way to the control in between."""

from ocx_way import again

LEFT_OUT_CASES = {"AttributeError", "SystemExit", "StopIteration"}
"""Of parametrized tests, by the value: an OCX raises in its own way, whatever the exception of Python behind it."""

LEFT_OUT = {
    "test_a_control_that_returns_nonsense_ends_what_needs_it_with_the_reason": "COM types what an OCX returns",
    "test_a_function_that_only_call_knows_is_no_different": "the same",
    "test_an_event_that_cannot_be_read_ends_the_streams_that_miss_it": "COM types what an OCX tells",
}

globals().update(again("test_server_control_faults", without=LEFT_OUT))
