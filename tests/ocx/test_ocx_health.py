"""Frozen and lost controls. The servicer's own tests, with the whole way to the control in between."""

from ocx_way import again

LEFT_OUT = {
    "test_a_control_that_is_closed_by_plan_says_until_when_and_logins_wait": "the plan is OcxControl's own",
}

globals().update(again("test_server_health", without=LEFT_OUT, FREEZE_SECONDS=1.0))
