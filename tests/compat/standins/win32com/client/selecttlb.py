"""Stand-in for pywin32: the one version and the one language of OpenAPI+'s type library."""

from dataclasses import dataclass


@dataclass(order=True)
class TypelibSpec:
    """One registered type library."""

    clsid: str
    lcid: int
    major: str
    minor: str
    flags: int
    dll: str = ""
    desc: str = ""
    ver_desc: str = ""


def EnumKeys(key):
    """The versions below the library's key, the languages below a version."""
    return [("1.2", "KHOpenAPI")] if key.endswith("}") else [("0", "")]
