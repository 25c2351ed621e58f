"""Findings of a market folder, doubtful or lacking; builds go on, and say so.

`check_market` refuses what cannot be; these are the findings that need no build. A file
that cannot be read has none: it is refused.
"""

from collections.abc import Callable, Iterator
from pathlib import Path

import duckdb

from barsieve.core.arrow import row_of
from barsieve.core.findings import Finding
from barsieve.core.locations import parquet_rows
from barsieve.core.sessions import new_session
from barsieve.market.check import (
    BARS,
    FUNDING,
    GREATEST_MEDIAN_FUNDING,
    MACRO,
    Kind,
    MacroSeries,
    has_column,
    read_macro_series,
    settlements,
)
from barsieve.market.price_steps import (
    ARE_PRICES,
    BETWEEN,
    IS_CONSECUTIVE,
    LEAST_DOUBT,
    LEAST_DOUBT_OVER_GAP,
    LEAST_RANGE,
)

# Endings of files that hold data, and that no build reads.
DATA_ENDINGS = {".csv", ".gz", ".zip", ".json", ".jsonl", ".feather", ".arrow", ".pq"}
# Beyond this share of bars without a trade, rules of volume say little of a symbol.
GREATEST_IDLE_SHARE = 0.5
# What quote currencies and kinds of contract add to the name of an asset.
PAIR_ENDINGS = ("USDT", "USDC", "USD", "EUR", "PERP", "SWAP", "M", "_", "-", "/", ":")
# A daily series has five values a week; with holidays never fewer than three.
LEAST_VALUES_A_WEEK = 3.0
# Days on which a series that moves does not stand still.
MOST_EQUAL_VALUES = 20

Session = duckdb.DuckDBPyConnection


def _files(market: Path, kind: Kind) -> list[Path]:
    paths = sorted((market / kind.folder).glob("*.parquet"))
    return [path for path in paths if path.is_file()]


def _unread_files(market: Path) -> Iterator[Finding]:
    for kind in (BARS, MACRO, FUNDING):
        folder = market / kind.folder
        for path in sorted(folder.rglob("*")) if folder.is_dir() else []:
            is_elsewhere = path.parent != folder and path.suffix == ".parquet"
            is_other = path.suffix != ".parquet" and (
                path.suffix.lower() in DATA_ENDINGS | {".parquet"}
            )
            if path.is_file() and (is_elsewhere or is_other):
                name = path.relative_to(market).as_posix()
                yield Finding(
                    "", name, "file_not_read", None, None,
                    f"No build reads {name}: only *.parquet directly in "
                    f"{kind.folder}/. Ingest it (barsieve ingest files), or move it.",
                )  # fmt: skip


def _volume(symbol: str, n_bars: int, n_idle: int) -> Iterator[Finding]:
    if n_idle == n_bars:
        yield Finding(
            symbol, "volume", "volume_always_zero", 1.0, GREATEST_IDLE_SHARE,
            f"Volume is 0 in all {n_bars:,} bars of {symbol}: prices of no trades (a "
            "mark or index price?). No rule of volume speaks, and fills at them are "
            "none of a market; take the bars of the traded contract.",
        )  # fmt: skip
    elif n_idle > GREATEST_IDLE_SHARE * n_bars:
        yield Finding(
            symbol, "volume", "volume_mostly_zero", n_idle / n_bars,
            GREATEST_IDLE_SHARE,
            f"{n_idle:,} of {n_bars:,} bars of {symbol} have no volume: fills at their "
            "prices are doubtful, and rules of volume say little.",
        )  # fmt: skip


BAR_ROWS = (
    "select *, lag(close) over (order by ts) as previous_close, "
    "lag(ts) over (order by ts) as previous_ts from {rows} where isfinite(ts)"
)
STEP = (
    f"{ARE_PRICES} and {BETWEEN} >= case when {IS_CONSECUTIVE} then {LEAST_DOUBT} "
    f"else {LEAST_DOUBT_OVER_GAP} end"
)


def _bars(session: Session, path: Path) -> Iterator[Finding]:
    symbol = path.stem
    rows = BAR_ROWS.format(rows=parquet_rows(path))
    n_bars, n_idle, n_steps, step, step_at, n_wide, width, wide_at = row_of(
        session.execute(
            f"select count(*), count_if(volume = 0), count_if({STEP}), "
            f"max({BETWEEN}) filter ({STEP}), "
            f"(arg_max(ts, {BETWEEN}) filter ({STEP}))::varchar, "
            f"count_if(high >= {LEAST_RANGE} * low), max(high / low), "
            f"arg_max(ts, high / low)::varchar from ({rows})"
        )
    )
    if n_bars:
        yield from _volume(symbol, n_bars, n_idle)
    if n_steps:
        yield Finding(
            symbol, "price", "price_step", step, LEAST_DOUBT,
            f"Bars of {symbol} that open far from the close before: {n_steps:,}, the "
            f"farthest by a factor of {step:,.4g} at {step_at}. A change of unit, "
            "another contract, or a halt? Trades across it are doubtful.",
        )  # fmt: skip
    if n_wide:
        yield Finding(
            symbol, "price", "price_range", width, LEAST_RANGE,
            f"The high is at least {LEAST_RANGE:g} times the low in {n_wide:,} bars of "
            f"{symbol}, {width:.3g} times at {wide_at}: a flash crash or a slip; stops "
            "fill at such prices.",
        )  # fmt: skip


def _without_ending(name: str, symbols: list[str]) -> str | None:
    """Return the symbol that a name stands for, as an exchange may write it."""
    for symbol in sorted(symbols, key=len, reverse=True):
        rest = name.upper().removeprefix(symbol.upper())
        if rest != name.upper():
            while ending := next((e for e in PAIR_ENDINGS if rest.startswith(e)), None):
                rest = rest.removeprefix(ending)
            if not rest:
                return symbol
    return None


def _name_fix(name: str, symbols: list[str]) -> str:
    meant = _without_ending(name, symbols)
    if meant:
        return f"Is it {meant}? Then write {meant} in the column symbol."
    return f"Bars there are of {', '.join(symbols)}."


def _funding_names(
    session: Session, rows: str | None, symbols: list[str]
) -> Iterator[Finding]:
    found = (
        session.execute(
            f"select symbol, count(*) from {rows} where symbol is not null "
            "group by symbol order by symbol"
        ).fetchall()
        if rows
        else []
    )
    without = [symbol for symbol in symbols if symbol not in dict(found)]
    for name, n_rows in found:
        # Funding that nobody lacks may be there for other bars.
        if name not in symbols and without:
            yield Finding(
                name, "funding", "funding_joins_nothing", float(n_rows), 0.0,
                f"{n_rows:,} settlements are of {name}, of which there are no bars: "
                f"nobody pays them. {_name_fix(name, symbols)}",
            )  # fmt: skip
    for symbol in without:
        yield Finding(
            symbol, "funding", "bars_without_funding", 0.0, 1.0,
            f"There is no funding of {symbol}: results are before what a position of a "
            "perpetual pays, and no funding trap is seen.",
        )  # fmt: skip


def _funding_spans(
    session: Session, rows: str, bars: dict[str, Path]
) -> Iterator[Finding]:
    for symbol, path in bars.items():
        first, last, days = row_of(
            session.execute(
                "with bars as (select min(ts) as first_ts, max(ts) as last_ts from "
                f"{parquet_rows(path)} where isfinite(ts)), "
                "funding as (select min(ts) as first_ts, max(ts) as last_ts "
                f"from {rows} where symbol = $symbol and isfinite(ts)) "
                "select funding.first_ts::date::varchar, "
                "funding.last_ts::date::varchar, "
                "(greatest(0, epoch(funding.first_ts) - epoch(bars.first_ts)) "
                "+ greatest(0, epoch(bars.last_ts) - epoch(funding.last_ts))) / 86400 "
                "from bars, funding",
                {"symbol": symbol},
            )
        )
        if days is not None and days > 1:
            yield Finding(
                symbol, "funding", "funding_covers_part", days, 1.0,
                f"The funding of {symbol} runs from {first} to {last} and leaves out "
                f"{days:,.0f} days of its bars: there a position pays none.",
            )  # fmt: skip


def _funding_rhythm(session: Session, rows: str) -> Iterator[Finding]:
    """Yield stamps off the minute, odd intervals, and odd rates of one interval."""
    late = session.execute(
        f"select symbol, count(*), max(abs(epoch(ts) - epoch(minute))) from ({rows}) "
        "where epoch_us(ts) % 60000000 != 0 group by symbol order by symbol"
    ).fetchall()
    for symbol, n, seconds in late:
        yield Finding(
            symbol, "funding", "funding_off_the_minute", float(n), 0.0,
            f"{n:,} settlements of {symbol} are stamped off the minute, by up to "
            f"{seconds:.3g} s: each is taken as that of its nearest minute.",
        )  # fmt: skip
    odd = session.execute(
        "select symbol, usual, count_if(gap_hours not between 0.99 * usual and "
        "1.01 * usual) as n, count(gap_hours), "
        "list(distinct round(gap_hours, 2) order by round(gap_hours, 2)) "
        "filter (gap_hours is not null) "
        "from (select *, mode(round(gap_hours, 2)) over (partition by symbol) as usual "
        f"from ({rows})) group by symbol, usual having n > 0 order by symbol"
    ).fetchall()
    for symbol, usual, n, n_gaps, gaps in odd:
        lengths = ", ".join(f"{gap:g}" for gap in gaps[:6])
        yield Finding(
            symbol, "funding", "funding_interval_irregular", float(n), 0.0,
            f"{n:,} of {n_gaps:,} intervals between settlements of {symbol} are not "
            f"{usual:g} h: {lengths}{', ...' if len(gaps) > 6 else ''} h. The feature "
            "is scaled to 8 h; a missing settlement is not paid.",
        )  # fmt: skip
    high = session.execute(
        "select symbol, hours, median(abs(funding_rate)) * 8 / hours as per_8h "
        f"from ({rows}) where isfinite(funding_rate) and hours > 0 "
        f"group by symbol, hours having per_8h > {GREATEST_MEDIAN_FUNDING} "
        "and count(*) > 9 order by symbol, per_8h desc"
    ).fetchall()
    for symbol, hours, per_8h in {row[0]: row for row in reversed(high)}.values():
        yield Finding(
            symbol, "funding", "funding_rate_high", per_8h, GREATEST_MEDIAN_FUNDING,
            f"The median rate of {symbol} every {hours:g} h comes to {per_8h:.3%} in "
            "8 h, which a squeeze may do: make sure that rates are fractions.",
        )  # fmt: skip


def _funding(session: Session, market: Path) -> Iterator[Finding]:
    bars = {path.stem: path for path in _files(market, BARS)}
    paths = _files(market, FUNDING)
    if not paths:
        yield from _funding_names(session, None, list(bars))
        return
    rows = parquet_rows(paths, "union_by_name = true")
    yield from _funding_names(session, rows, list(bars))
    yield from _funding_spans(session, rows, bars)
    has_interval = has_column(session, paths, "interval_hours")
    yield from _funding_rhythm(session, settlements(rows, has_interval))


def _macro(
    session: Session, market: Path, declared: dict[str, MacroSeries]
) -> Iterator[Finding]:
    """Yield series too sparse to be daily, and series that stand still."""
    paths = _files(market, MACRO)
    if not paths:
        return
    # Runs of equal values, over days as they were first published.
    found = session.execute(
        "with days as (select series, date, arg_min(value, known_at) as value "
        f"from {parquet_rows(paths, 'union_by_name = true')} "
        "where isfinite(date) and isfinite(known_at) group by series, date), "
        "changes as (select *, value is distinct from lag(value) over w as is_new "
        "from days window w as (partition by series order by date)), "
        "runs as (select *, count_if(is_new) over (partition by series order by date) "
        "as run from changes), "
        "lengths as (select series, run, count(*) as n, min(date) as since from runs "
        "group by series, run) "
        "select series, sum(n), max(n), "
        "arg_max(since, n)::varchar, "
        "(select date_diff('day', min(date), max(date)) + 1 from days "
        "where days.series = lengths.series) from lengths "
        "group by series order by series"
    ).fetchall()
    for series, n_days, longest, since, span in found:
        if series not in declared:
            continue
        weekly = float(n_days) * 7 / span
        if span >= 28 and weekly < LEAST_VALUES_A_WEEK:
            yield Finding(
                "", series, "macro_sparse", weekly, LEAST_VALUES_A_WEEK,
                f"{series} has {weekly:.1f} values a week over {span:,} days, and is "
                "read as a daily series: between them it goes stale, and what asks for "
                "it stays open.",
            )  # fmt: skip
        if longest > MOST_EQUAL_VALUES:
            yield Finding(
                "", series, "macro_stands_still", float(longest),
                float(MOST_EQUAL_VALUES),
                f"{series} has the same value on {longest:,} days in a row from "
                f"{since}: filled forward? Leave out days without a publication.",
            )  # fmt: skip


def market_findings(market: Path, seed: Path) -> list[Finding]:
    """Return what is doubtful or lacking in the files of a market folder.

    `seed` is the declaration of the macro series, `seeds/macro_series.csv`. Each
    symbol, subject and finding occurs once, with the worst case and how many there are.
    """
    declared = read_macro_series(seed)
    findings = list(_unread_files(market))
    with new_session() as session:
        looks: list[Callable[[], Iterator[Finding]]] = [
            *(lambda path=path: _bars(session, path) for path in _files(market, BARS)),
            lambda: _funding(session, market),
            lambda: _macro(session, market, declared),
        ]
        for look in looks:
            try:
                findings += look()
            except duckdb.Error:
                continue  # a file that check_market refuses
    return sorted(findings, key=lambda finding: finding[:3])
