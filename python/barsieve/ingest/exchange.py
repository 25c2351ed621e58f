"""An exchange behind ccxt, asked with patience."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from barsieve.core.errors import refuse
from barsieve.core.extras import needed
from barsieve.ingest.retry import (
    PassingError,
    Patience,
    SourceError,
    from_millis,
    requested_wait,
)

# Kinds of markets, and what exchanges call them in their lists of markets to load.
TYPES = {
    "spot": ("spot",),
    "linear": ("linear", "swap", "future"),
    "inverse": ("inverse", "swap", "future"),
}


def _longest_list(answer: Any, depth: int = 4) -> int:
    """Return the length of the longest list of rows in an answer."""
    if not depth or not isinstance(answer, list | dict):
        return 0
    items = list(answer.values()) if isinstance(answer, dict) else answer[:1]
    below = max((_longest_list(item, depth - 1) for item in items), default=0)
    is_rows = isinstance(answer, list) and answer and isinstance(answer[0], list | dict)
    return max(len(answer) if is_rows else 0, below)


class Exchange:
    """An exchange behind ccxt, asked with patience; every answer is looked at."""

    def __init__(self, name: str, patience: Patience, options: dict[str, Any]):
        """Open the exchange `name`; `options` go to ccxt as they are.

        Raises InputError for a name that ccxt does not have.
        """
        ccxt = needed("ccxt", "ingest")
        if name not in ccxt.exchanges:
            refuse(
                f"--exchange {name}",
                expected="an exchange that ccxt knows",
                found=f"'{name}'",
                fix="see ccxt's list of exchanges for its id",
            )
        self._ccxt, self._patience, self.name = ccxt, patience, name
        settings = {"enableRateLimit": True, "timeout": int(patience.timeout * 1000)}
        self._client = getattr(ccxt, name)(settings | options)
        self._client.handle_errors = self._refusing_damage(self._client.handle_errors)
        self._markets: dict[str, Any] | None = None
        self._kinds: set[str] = set()
        self._all_types: list[str] | None = None
        # Of the last answer: how many rows it had, and what its text was.
        self.raw_rows, self.raw_text = 0, 0

    def has(self, method: str) -> bool:
        """Tell whether the exchange has one of ccxt's methods (in camel case)."""
        return bool(self._client.has.get(method))

    def only(self, kinds: list[str]) -> None:
        """Load only these kinds of markets, where the exchange lets us choose."""
        chosen = self._client.options.get("fetchMarkets")
        if not isinstance(chosen, dict) or "types" not in chosen:
            return
        if self._all_types is None:
            self._all_types = list(chosen["types"])
        if not set(kinds) <= self._kinds:
            self._kinds |= set(kinds)
            wanted = {type_ for kind in self._kinds for type_ in TYPES.get(kind, ())}
            # Exchanges name their kinds differently; none that we know means all.
            known = [type_ for type_ in self._all_types if type_ in wanted]
            chosen["types"] = known or self._all_types
            self._markets = None

    def ask(self, method: str, *arguments: Any, **named: Any) -> Any:
        """Call a method of ccxt until it answers in whole.

        Raises SourceError (a PassingError when time might have mended it).
        """
        return self._patience.ask(lambda: self._ask_once(method, arguments, named))

    def _ask_once(
        self, method: str, arguments: tuple[Any, ...], named: dict[str, Any]
    ) -> Any:
        client, ccxt = self._client, self._ccxt
        client.last_response_headers = None
        try:
            return getattr(client, method)(*arguments, **named)
        except ccxt.NetworkError as error:
            wait = requested_wait(client.last_response_headers)
            raise PassingError(self._said(error), wait) from None
        except ccxt.BaseError as error:
            raise SourceError(self._said(error)) from None
        except SourceError:
            raise
        except Exception as error:
            # ccxt's parsers meet what an exchange sends: any shape, any fault.
            raise SourceError(
                f"{self.name}: an answer that ccxt cannot read ({error!r})"
            ) from None

    def _refusing_damage(self, handle_errors: Callable[..., Any]) -> Callable[..., Any]:
        """Return ccxt's hook on each answer, which also refuses one that is no JSON.

        ccxt hands such text on to its parsers, and these may find an empty list in it.
        """

        def handle(code: int, *arguments: Any) -> Any:
            answer = arguments[5]
            if 200 <= code < 300 and answer is None:
                raise PassingError(f"{self.name}: a damaged answer (no JSON)")
            self.raw_rows, self.raw_text = _longest_list(answer), hash(arguments[4])
            return handle_errors(code, *arguments)

        return handle

    def _said(self, error: Exception) -> str:
        said = " ".join(str(error).split())[:200]
        return f"{said} ({type(error).__name__})"

    def market(self, symbol: str) -> dict[str, Any]:
        """Return ccxt's description of a market; raise InputError if there is none."""
        if self._markets is None:
            # True: what a damaged answer left behind must not count as loaded.
            self._markets = self.ask("load_markets", True)
        markets = self._markets
        if symbol not in markets:
            base = symbol.split("/")[0]
            near = [m for m in markets if m.startswith(f"{base}/")][:8]
            refuse(
                self.name,
                f"market '{symbol}'",
                expected="a market of the exchange",
                found=f"for {base}: {', '.join(near) or 'none'}",
                fix="name it as ccxt does: BTC/USDT, BTC/USDT:USDT, BTC/USD:BTC",
            )
        return markets[symbol]

    def clock(self, now: datetime) -> datetime:
        """Return the earlier of the exchange's clock and the local one."""
        if not self.has("fetchTime"):
            return now
        stated = self.ask("fetch_time")
        if not isinstance(stated, int):
            raise SourceError(f"{self.name}: no time in the answer to what time it is")
        return min(now, from_millis(stated))
