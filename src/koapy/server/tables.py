"""From the tables of a TOML file to frozen dataclasses and back: strictly, with errors that say what would be right."""

from __future__ import annotations

import json
import math
import types
from dataclasses import MISSING, fields, is_dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar, Union, cast, get_args, get_origin, get_type_hints

from koapy.openapi.nearest import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

T = TypeVar("T")

WANTED = {
    bool: "true or false",
    int: "a whole number such as 10",
    float: "a number such as 2.5",
    str: 'a text in quotes such as "name"',
    Path: 'the name of a file in quotes such as "orders.sqlite"',
    frozenset: 'a list of texts such as ["005930", "000660"]',
}
"""What would be right, by the type of a field."""


class ConfigError(Exception):
    """A configuration file cannot be used; the text names the file, the key and what would be right."""


class Place:
    """Where in a configuration file something stands."""

    def __init__(self, file: Path, section: str = "") -> None:
        self.file = file
        self.section = section

    def below(self, name: str) -> Place:
        """A table in this table."""
        quoted = name if name.isascii() and name.replace("_", "").replace("-", "").isalnum() else quote(name)
        return Place(self.file, f"{self.section}.{quoted}" if self.section else quoted)

    def error(self, text: str) -> ConfigError:
        """What is wrong here."""
        return ConfigError(f"{self.file}: {f'[{self.section}] ' if self.section else ''}{text}")

    def only(self, table: Mapping[str, object], known: Iterable[str], what: str = "key") -> None:
        """Refuse names that nothing knows."""
        names = sorted(known)
        for name in table:
            if name not in names:
                meant = did_you_mean(name, names) or f"; there are {', '.join(names)}"
                raise self.error(f"has an unknown {what} {name!r}{meant}")

    def table(self, value: object, name: str) -> Mapping[str, Any]:
        """The value of `name`, which must be a table."""
        if isinstance(value, dict):
            return value
        raise self.error(f"{name} = {shown(value)}: a table is wanted, [{self.below(name).section}]")


def fill(kind: type[T], table: Mapping[str, Any], place: Place, *, least: float | None = None) -> T:
    """Make a dataclass from a table whose keys are its fields; what the table does not name keeps its default.

    Args:
        least: no number may be smaller.

    Raises: ConfigError.
    """
    hints = get_type_hints(kind)
    place.only(table, hints)
    missing = [each.name for each in fields(cast("Any", kind)) if _required(each) and each.name not in table]
    if missing:
        raise place.error(f"lacks {' and '.join(missing)}")
    values = {name: read(hints[name], value, name, place, least=least) for name, value in table.items()}
    try:
        return kind(**values)
    except ValueError as error:
        raise place.error(str(error)) from error


def read(hint: Any, value: object, name: str, place: Place, *, least: float | None = None) -> Any:
    """A value of the file as a field of this type wants it. Raises: ConfigError."""
    hint = _plain(hint)
    if is_dataclass(hint):
        return fill(cast("type[Any]", hint), place.table(value, name), place.below(name), least=least)
    if get_origin(hint) is Literal:
        choices = [str(each) for each in get_args(hint)]
        if value in choices:
            return value
        meant = did_you_mean(str(value), choices)
        raise place.error(f"{name} = {shown(value)}: one of {', '.join(map(quote, choices))} is wanted{meant}")
    base = get_origin(hint) or hint
    if base not in WANTED:
        raise TypeError(f"{name}: no configuration file can hold {hint}")
    if not _fits(base, value):
        raise place.error(f"{name} = {shown(value)}: {WANTED[base]} is wanted")
    if least is not None and base in (int, float) and cast("float", value) < least:
        raise place.error(f"{name} = {shown(value)}: at least {least:g} is wanted")
    if base is Path:
        # As the file is read anywhere, what it names lies beside it.
        return place.file.parent / Path(cast("str", value)).expanduser()
    return base(value)


def _fits(base: type, value: object) -> bool:
    if base is float:
        return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    if base is int:
        return isinstance(value, int) and not isinstance(value, bool)
    if base is frozenset:
        return isinstance(value, list) and all(isinstance(each, str) for each in value)
    if base is Path:
        return isinstance(value, str) and value != ""
    return isinstance(value, base)


def _plain(hint: Any) -> Any:
    """A type without None: a TOML file says nothing by leaving it out."""
    if get_origin(hint) in (Union, types.UnionType):
        (hint,) = (each for each in get_args(hint) if each is not type(None))
    return hint


def _required(field: Any) -> bool:
    return field.default is MISSING and field.default_factory is MISSING


def write(section: str, values: Mapping[str, object]) -> Iterator[str]:
    """The lines of a table; dataclasses in it become tables below it, what is None is left out."""
    below = {name: value for name, value in values.items() if is_dataclass(value)}
    yield f"[{section}]"
    for name, value in values.items():
        if value is not None and name not in below:
            yield f"{name} = {shown(value)}"
    yield ""
    for name, value in below.items():
        yield from write(f"{section}.{name}", asdict(value))


def asdict(instance: object) -> dict[str, object]:
    """The fields of a dataclass, those that are dataclasses as they are."""
    return {each.name: getattr(instance, each.name) for each in fields(cast("Any", instance))}


def shown(value: object) -> str:
    """A value as TOML writes it."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str | Path):
        return quote(str(value))
    if isinstance(value, frozenset | set):
        return f"[{', '.join(quote(each) for each in sorted(value))}]"
    if isinstance(value, list):
        return f"[{', '.join(map(shown, value))}]"
    return str(value)


def quote(text: str) -> str:
    """A text as TOML writes it."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", r"\u007f")
