"""Keys that profiles had once: what each is called now, and who rewrites it."""

from shlex import quote
from typing import Any, NamedTuple


class Former(NamedTuple):
    """A key of today in the place of a former one; `is_list` where it takes several."""

    key: str
    is_list: bool = False

    def written(self, value: Any) -> Any:
        """Return the value of the former key as that of today."""
        return [value] if self.is_list else value

    @property
    def words(self) -> str:
        """Return the key as a problem names it."""
        return f"'{self.key}'" + ", a list" * self.is_list


FORMER = {
    "symbol": Former("symbols", is_list=True),
    "risk.start_balance": Former("wallet.start_balance"),
}
"""The keys of today by the former ones, both dotted."""


def rewriting(file: str) -> str:
    """Return the command that writes a profile with the keys of today."""
    return f"barsieve config migrate {quote(file)} --force"
