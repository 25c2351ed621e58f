"""Market capitalisation and dominance of the moment, from CoinGecko's public API.

`/global` says what is now, and nothing of the past: its history is for paying customers
(https://docs.coingecko.com/reference/crypto-global). So a run appends one day, and a
day without a run is missing.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa

from barsieve.ingest.folder import Market, schema_of
from barsieve.ingest.fred import store_days
from barsieve.ingest.macro import lag_of
from barsieve.ingest.merge import span_of
from barsieve.ingest.request import Request
from barsieve.ingest.retry import Patience, get
from barsieve.ingest.summary import Outcome
from barsieve.market.check import MACRO

BASE = "https://api.coingecko.com/api/v3"
SERIES = ("TOTAL", "BTC.D", "USDT.D")
STALE_AFTER = timedelta(hours=6)


def _snapshot(response: Any) -> tuple[datetime, dict[str, float]]:
    """Return when /global was computed, and its values under our names."""
    try:
        about = response.json()["data"]
        shares = about["market_cap_percentage"]
        values = {
            "TOTAL": float(about["total_market_cap"]["usd"]),
            "BTC.D": float(shares["btc"]),
            "USDT.D": float(shares["usdt"]),
        }
        return datetime.fromtimestamp(int(about["updated_at"]), UTC), values
    except (KeyError, TypeError) as error:
        raise ValueError(f"no {error} in it") from None


def take_snapshot(
    patience: Patience, base: str | None = None, key: str | None = None
) -> tuple[datetime, dict[str, float]]:
    """Return when the values of the moment were computed, and them; `key` is optional.

    Raises SourceError when CoinGecko does not answer.
    """
    headers = {"x-cg-demo-api-key": key} if key else None
    return get(patience, f"{base or BASE}/global", _snapshot, headers=headers)


def ingest_coingecko(
    series: str,
    snapshot: tuple[datetime, dict[str, float]],
    market: Market,
    request: Request,
    outcome: Outcome,
) -> None:
    """Append the snapshot as the value of its day, unless the day has one.

    The first snapshot of a day stays: a later one is another moment, no revision. It
    became known when we asked for it.
    """
    lag_of(market, series)
    computed, values = snapshot
    day = computed.astimezone(UTC).date()
    span = span_of(market, MACRO, series)
    if request.now - computed > STALE_AFTER:
        outcome.note(f"left out: CoinGecko's value is of {computed:%Y-%m-%d %H:%M} UTC")
        outcome.leave_out("older than six hours", 1, f"{computed:%Y-%m-%d %H:%M}")
        outcome.rows_given += 1
        rows: list[tuple[Any, ...]] = []
    elif span is not None and day <= span[1]:
        outcome.note(f"{day} is stored already")
        outcome.rows_given += 1
        outcome.rows_checked += 1
        rows = []
    else:
        rows = [(day, series, values[series], max(computed, request.now))]
    columns = list(zip(*rows, strict=True)) or [()] * 4
    table = pa.table([list(c) for c in columns], schema=schema_of(MACRO))
    store_days(market, series, table, request, outcome, step_hours=24.0)
