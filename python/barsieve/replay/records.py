"""Named tuples with some fields exchanged, or kept in a record of an array.

In Python and in machine code alike.

numba knows named tuples and their construction by keyword, but not `_replace`: it is
taught here, as the one construction that one would write by hand.
"""

from collections.abc import Callable, Mapping
from typing import Any, Protocol, TypeVar, cast

from barsieve.core.numba_cache import overloaded


class Named(Protocol):
    """A named tuple, of whatever fields."""

    @property
    def _fields(self) -> tuple[str, ...]: ...

    @property
    def _replace(self) -> Callable[..., Any]: ...


R = TypeVar("R", bound=Named)


def replaced(record: R, **changes: Any) -> R:
    """Return a named tuple with some fields exchanged, each by its name."""
    return cast(R, record._replace(**changes))


def overlaid(record: R, other: Any) -> R:
    """Return a named tuple with those fields of a NumPy record that it has too."""
    shared = [name for name in record._fields if name in other.dtype.names]
    return cast(R, record._replace(**{name: getattr(other, name) for name in shared}))


def store(record: Any, values: Named) -> None:
    """Write the fields of a named tuple into those of a NumPy record, by name."""
    for name in values._fields:
        setattr(record, name, getattr(values, name))


def _construction(
    record: Any, parameters: str, exchanged: Mapping[str, str]
) -> Callable[..., Any]:
    """Return a function that builds a named tuple anew, its fields by their names.

    `record` is numba's type of it.
    """
    values = {name: f"record.{name}" for name in record.fields} | {**exchanged}
    fields = ", ".join(f"{name}={value}" for name, value in values.items())
    scope: dict[str, Any] = {"construct": record.instance_class}
    exec(f"def made(record, {parameters}): return construct({fields})", scope)
    made: Callable[..., Any] = scope["made"]
    return made


@overloaded(replaced)
def _replaced(record: Any, **changes: Any) -> Callable[..., Any]:
    unknown = set(changes) - set(record.fields)
    if unknown:
        from numba.core.errors import TypingError

        raise TypingError(f"{record.instance_class.__name__} has no {unknown}")
    return _construction(record, ", ".join(changes), {name: name for name in changes})


@overloaded(overlaid)
def _overlaid(record: Any, other: Any) -> Callable[..., Any]:
    shared = set(record.fields) & set(other.fields)
    return _construction(record, "other", {name: f"other.{name}" for name in shared})


@overloaded(store)
def _store(record: Any, values: Any) -> Callable[..., Any]:
    lines = [f"    record.{name} = values.{name}" for name in values.fields]
    scope: dict[str, Any] = {}
    exec("\n".join(["def stored(record, values):", *lines]), scope)
    stored: Callable[..., Any] = scope["stored"]
    return stored
