"""Named tuples with some fields exchanged, in Python and in machine code alike.

numba knows named tuples and their construction by keyword, but not `_replace`: it is
taught here, as the one construction that one would write by hand.
"""

from collections.abc import Callable, Mapping
from typing import Any

from barsieve.core.numba_cache import overloaded


def replaced(record, **changes):
    """Return a named tuple with some fields exchanged, each by its name."""
    return record._replace(**changes)


def overlaid(record, other):
    """Return a named tuple with those fields of a NumPy record that it has too."""
    shared = [name for name in record._fields if name in other.dtype.names]
    return record._replace(**{name: getattr(other, name) for name in shared})


def _construction(
    record: Any, parameters: str, exchanged: Mapping[str, str]
) -> Callable:
    """Return a function that builds a named tuple anew, its fields by their names.

    `record` is numba's type of it.
    """
    values = {name: f"record.{name}" for name in record.fields} | exchanged
    fields = ", ".join(f"{name}={value}" for name, value in values.items())
    scope = {"construct": record.instance_class}
    exec(f"def made(record, {parameters}): return construct({fields})", scope)
    return scope["made"]


@overloaded(replaced)
def _replaced(record, **changes):
    unknown = set(changes) - set(record.fields)
    if unknown:
        from numba.core.errors import TypingError

        raise TypingError(f"{record.instance_class.__name__} has no {unknown}")
    return _construction(record, ", ".join(changes), {name: name for name in changes})


@overloaded(overlaid)
def _overlaid(record, other):
    shared = set(record.fields) & set(other.fields)
    return _construction(record, "other", {name: f"other.{name}" for name in shared})
