"""All TRs of the catalogue. The servicer's own test, with the whole way to the control in between."""

import sys

import pytest
from ocx_way import again

pytestmark = pytest.mark.timeout(180, func_only=True)

globals().update(again("test_server_every_tr"))
# More of the market's time passes while an answer is on this way, and with it the day of the transactions.
sys.modules["ocx_test_server_every_tr"].NOTHING_TODAY.add("opw00015")
