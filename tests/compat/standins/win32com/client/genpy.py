"""Stand-in for pywin32: gives the functions and events of a type library in the shape in which pywin32 reads them."""

import pythoncom

DISPATCH = "{CF20FBB6-EDD4-4BE5-A473-FEF91977DEB6}"
EVENTS = "{7335F12D-8973-4BD5-B7F0-12DF03D175B7}"
TYPES = {"int": pythoncom.VT_I4, "str": pythoncom.VT_BSTR, "array": pythoncom.VT_VARIANT, "none": pythoncom.VT_VOID}


class Entry:
    """One function: its names (its own, then its parameters') and its description."""

    def __init__(self, number, name, parameters, returns):
        self.names = (name, *(parameter for parameter, _ in parameters))
        arguments = tuple((TYPES[kind], 1, None) for _, kind in parameters)
        self.desc = (number, (), arguments, pythoncom.FUNC_DISPATCH, 1, 0, 0, 0, (TYPES[returns], 0, None), 0)


class DispatchItem:
    """The functions of one interface."""

    def __init__(self, functions):
        self.mapFuncs = {name: Entry(number, name, *rest) for number, (name, *rest) in enumerate(functions, start=1)}


class EnumerationItem:
    """Named in annotations only."""


class RecordItem:
    """Named in annotations only."""


class VTableItem:
    """Named in annotations only."""


class Generator:
    """Reads a type library."""

    def __init__(self, library, _source, _progress, bBuildHidden=1):
        self._library = library

    def BuildOleItemsFromType(self):
        """The interface of the control and the one of its events; no enumerations, records, or tables."""
        items = {DISPATCH: DispatchItem(self._library["functions"]), EVENTS: DispatchItem(self._library["events"])}
        return items, {}, {}, {}
