"""Call. The servicer's own tests, with the whole way to the control in between."""

from ocx_way import again

LEFT_OUT = {
    "test_bad_input_says_what_would_be_right_and_never_reaches_the_control": "it does not reach the control",
    "test_a_control_of_ten_lines_is_enough": "such a control is no OCX",
    "test_a_control_that_raises_tells_its_caller_and_goes_on": "an OCX raises in its own way; test_ocx_control has it",
}

globals().update(again("test_server_call", without=LEFT_OUT))
