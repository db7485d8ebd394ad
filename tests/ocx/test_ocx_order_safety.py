"""Orders, their keys and the journal. The servicer's own tests, with the whole way to the control in between."""

from ocx_way import again

LEFT_OUT = {
    "test_a_retry_joins_the_order_that_there_is": "a new host is not logged in",
    "test_order_events_resume_without_gaps_and_twice_nothing": "the same",
    "test_what_happened_while_the_gateway_was_away_is_looked_up": "the same",
    "test_the_kill_switch_outlives_the_gateway_and_lets_cancels_pass": "the same",
}

globals().update(again("test_server_order_safety", without=LEFT_OUT))
