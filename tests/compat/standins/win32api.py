"""Stand-in for pywin32: a registry that knows the type library of an installed OpenAPI+, and nothing else."""

import os

LIBRARY = os.environ.get("KOAPY_STANDIN_TYPELIB", "")


class error(Exception):
    """What a missing key raises."""


def RegOpenKey(key, name):
    """A key is its path. Without a type library nothing is registered, as on a machine without OpenAPI+."""
    if not LIBRARY or name == "win64":
        raise error(name)
    return f"{key}\\{name}"


def RegQueryValue(_key, _name):
    """The FLAGS of a type library."""
    return "0"


def RegQueryValueEx(_key, _name):
    """The file of the type library and the type of the value, REG_SZ."""
    return LIBRARY, 1
