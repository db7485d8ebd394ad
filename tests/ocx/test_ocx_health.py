"""Frozen and lost controls. The servicer's own tests, with the whole way to the control in between."""

from ocx_way import again

LEFT_OUT = {
    # An OCX freezes in a call, never between two; test_ocx_control has the ends of that.
    "test_a_frozen_control_is_noticed_told_and_forgiven": "freezes between calls",
    "test_who_waits_for_a_limit_does_not_wait_for_a_frozen_control": "the same",
    "test_what_is_given_back_while_the_control_is_frozen_is_given_back_when_it_is_not": "the same",
    # A login after a lost one takes a new host, and the plan is OcxControl's own; test_ocx_life and test_ocx_control.
    "test_a_lost_connection_is_told_at_once_and_what_outlives_it_is_registered_anew": "stays in one host",
    "test_a_control_that_is_closed_by_plan_says_until_when_and_logins_wait": "has a plan of its own",
    "test_a_failed_login_says_so_and_health_still_lets_one_log_in": "fires an event and takes it for told at once",
}

globals().update(again("test_server_health", without=LEFT_OUT))
