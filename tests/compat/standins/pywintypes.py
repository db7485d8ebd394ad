"""Stand-in for pywin32: a class identifier is its text."""


class IIDType(str):
    """The type that isinstance checks ask for."""


IID = IIDType
