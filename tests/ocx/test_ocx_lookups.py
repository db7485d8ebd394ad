"""Look-ups that are kept. The servicer's own test, with the whole way to the control in between."""

from ocx_way import again

THROUGH_THE_SERVER = "test_calls_and_checks_share_the_answer_until_the_next_login"
"""The others of this file ask the part that keeps them, without a control."""

module = again("test_server_lookups")
globals().update({name: value for name, value in module.items() if name == THROUGH_THE_SERVER})
