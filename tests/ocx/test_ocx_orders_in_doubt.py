"""Orders in doubt. The servicer's own tests, with the whole way to the control in between."""

from ocx_way import again

globals().update(again("test_server_orders_in_doubt", ANSWER_SECONDS=1.0))
