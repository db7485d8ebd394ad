"""Stand-in for pywin32: a class identifier is its text."""


class IIDType(str):
    """The type that isinstance checks ask for."""

    __slots__ = ()


IID = IIDType
