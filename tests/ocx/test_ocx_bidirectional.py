"""BidirectionalListen. The servicer's own tests, with the whole way to the control in between."""

from ocx_way import again

LEFT_OUT = {
    "test_the_end_of_the_stream_lets_the_control_go_on": "looks at whether the control behind the fake OCX waits",
    "test_two_listeners_are_let_in_together": "the same",
    "test_a_new_login_needs_its_conditions_loaded": "fires an event and takes it for told at once",
}

globals().update(again("test_server_bidirectional", without=LEFT_OUT))
