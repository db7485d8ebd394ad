"""The servicer on somebody's own server. Its own tests, with the whole way to the control in between."""

from ocx_way import again

LEFT_OUT = {"test_a_servicer_that_is_not_ours_is_registered_as_it_is": "has no control"}

globals().update(again("test_server_of_ones_own", without=LEFT_OUT))
