"""Stand-in for pywin32: the constants of type libraries, and one of them, a JSON file (see win32com.client.genpy)."""

import json
from pathlib import Path

COINIT_APARTMENTTHREADED = 2
DISPID_NEWENUM = -4
FUNCFLAG_FRESTRICTED = 1
FUNC_DISPATCH = 4
VT_I4 = 3
VT_BSTR = 8
VT_VARIANT = 12
VT_VOID = 24


def LoadTypeLib(path):
    """The functions and events of OpenAPI+ from the JSON file that the tests have written."""
    return json.loads(Path(path).read_text(encoding="utf-8"))
