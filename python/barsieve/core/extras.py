"""Libraries of extras, imported when they are needed and named when not there."""

from importlib import import_module
from types import ModuleType

from barsieve.core.errors import MissingExtraError


def needed(module: str, extra: str, by: str = "") -> ModuleType:
    """Import a library of an extra, `by` being what asks for it.

    Raises MissingExtraError, which names the extra, where it is not installed.
    """
    try:
        return import_module(module)
    except ImportError as error:
        name = error.name or module
        fault = f"{by} needs {name}" if by else f"{name} is not installed"
        raise MissingExtraError(f"{fault}: pip install 'barsieve[{extra}]'") from None
