"""The control's functions and events, and the helper names that KOAPY's clients send to Call."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Literal, NamedTuple, cast

from koapy.openapi._table import rows

if TYPE_CHECKING:
    from collections.abc import Mapping

ParameterType = Literal["int", "str", "bool"]
"""What an argument is; bool occurs in helpers only."""
ReturnType = Literal["int", "str", "bool", "none", "array"]
"""What a function returns: array is GetCommDataEx's rows of columns, bool occurs in helpers only."""


class Parameter(NamedTuple):
    """One argument of a function or event."""

    name: str
    type: ParameterType


class Function(NamedTuple):
    """A function of the control, or a helper above it."""

    name: str
    parameters: tuple[Parameter, ...]
    returns: ReturnType

    def __str__(self) -> str:
        listed = ", ".join(f"{each.name}: {each.type}" for each in self.parameters)
        return f"{self.name}({listed}) -> {self.returns}"


class EventSignature(NamedTuple):
    """An event of the control and its arguments in order."""

    name: str
    parameters: tuple[Parameter, ...]

    def __str__(self) -> str:
        return f"{self.name}({', '.join(f'{each.name}: {each.type}' for each in self.parameters)})"


def _parameters(packed: str) -> tuple[Parameter, ...]:
    pairs = (each.partition(":") for each in packed.split())
    return tuple(Parameter(name, cast("ParameterType", kind)) for name, _, kind in pairs)


_ROWS = rows("function")


def _functions(kind: str) -> Mapping[str, Function]:
    return MappingProxyType(
        {
            name: Function(name, _parameters(packed), cast("ReturnType", returns))
            for group, name, packed, returns in _ROWS
            if group == kind
        }
    )


FUNCTIONS: Mapping[str, Function] = _functions("function")
"""The 58 functions of the control, by name."""

HELPERS: Mapping[str, Function] = _functions("helper")
"""Names that a gateway answers itself, by name."""

EVENTS: Mapping[str, EventSignature] = MappingProxyType(
    {name: EventSignature(name, _parameters(packed)) for kind, name, packed, _ in _ROWS if kind == "event"}
)
"""The 9 events of the control, by name."""
