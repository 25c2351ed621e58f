"""A sweep of many configurations, and how little its best one may mean."""

from typing import Any

from barsieve.report.section import Section, absent
from barsieve.report.sections.sweep_charts import charts_of
from barsieve.report.source import Source

FIGURES = """
    from report_sweep
    where list_contains($symbols, symbol)
        or (symbol = '*' and list_contains($profiles, profile))
    order by symbol, grid
"""
# A configuration's halves are sums of its months.
CONFIGURATIONS = """
    with halves as (
        select
            config,
            sum(net_pnl) filter (fold < $second_half_from) as first_net,
            sum(net_pnl) filter (fold >= $second_half_from) as second_net,
        from sweep_results
        where fold != 'all' and grid = $grid and symbol = $symbol
        group by config
    )

    select
        config, entry_threshold, {weights}
        configs.* exclude (
            grid, config, symbol, profile, violation, entry_threshold, weights
        ),
        trades::double as trades, net_pnl, sharpe, first_net, second_net,
    from sweep_results
    inner join sweep_configs as configs using (grid, config, symbol)
    inner join halves using (config)
    where fold = 'all' and grid = $grid and symbol = $symbol
    order by config
"""
DOMAINS = """
    select distinct unnest(map_keys(weights)) as domain from sweep_configs
    where grid = $grid and symbol = $symbol and violation is null
    order by domain
"""
REFUSED = """
    select violation, count(*) as configurations from sweep_configs
    where violation is not null and grid = $grid and symbol = $symbol
    group by violation order by violation
"""
NO_SWEEP = (
    "No sweep of these symbols is in this database; dbt build makes one, a build "
    "without the tag ml leaves it out."
)
OTHERS = """
    select distinct grid, symbol from sweep_results
    anti join report_sweep using (grid, symbol)
    where list_contains($symbols, symbol) or symbol = '*' order by all
"""
# What stands in the place of a symbol for all that share an account.
WALLET = "*"
# What the legacy system said of its own sweep over the real market.
LEGACY = {
    "profitable_share": {"all": 0.024, "BTC": 0.012, "ETH": 0.034},
    "threshold_sharpe_correlation": {"all": -0.556},
}


def _claims(figures: dict[str, Any], grids: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the legacy system's claims beside the figures of the same grid."""
    own = {
        row["symbol"]: row
        for row in grids
        if row["grid"] == figures["grid"] and row["symbol"] != WALLET
    }
    totals = {
        name: sum(row[name] for row in own.values())
        for name in ("profitable", "configurations")
    }
    shares = {symbol: row["profitable_share"] for symbol, row in own.items()}
    shares["all"] = totals["profitable"] / totals["configurations"]
    correlation = LEGACY["threshold_sharpe_correlation"]["all"]
    return {
        "profitable": [
            ("all symbols" if symbol == "all" else symbol, claim, shares.get(symbol))
            for symbol, claim in LEGACY["profitable_share"].items()
        ],
        "correlations": [
            (symbol, correlation, row["threshold_sharpe_correlation"])
            for symbol, row in own.items()
        ],
    }


def _weights(source: Source, about: dict[str, Any]) -> str:
    """Return a column for the weight of each domain of a sweep, as SQL."""
    domains = [row["domain"] for row in source.rows(DOMAINS, **about)]
    return " ".join(f"weights['{d}'] as weight_{d}," for d in domains)


def _sweep(
    source: Source, figures: dict[str, Any], grids: list[dict[str, Any]]
) -> dict[str, Any]:
    """Return a sweep's figures, and the charts of its configurations."""
    about = {name: figures[name] for name in ("grid", "symbol")}
    columns = source.arrays(
        CONFIGURATIONS.replace("{weights}", _weights(source, about)),
        **about,
        second_half_from=figures["second_half_from"],
    )
    refused = source.rows(REFUSED, **about)
    return {
        "figures": figures,
        "idle": figures["configurations"] - figures["with_trades"],
        "claims": _claims(figures, grids),
        "refused": sum(row["configurations"] for row in refused),
        **charts_of(source.pack, figures, columns),
    }


def collect(source: Source) -> dict[str, Any]:
    """Return the judged sweeps of what is shown, and what was claimed of one."""
    (build,) = source.rows("select is_simulated from build_info")
    symbols = source.symbols
    profiles = [row["profile"] for row in source.profiles]
    grids = source.rows(FIGURES, symbols=symbols, profiles=profiles)
    return {
        "sweeps": [_sweep(source, row, grids) for row in grids],
        "others": source.rows(OTHERS, symbols=symbols),
        "is_simulated": build["is_simulated"],
        "profiles": [{} if grids else absent(NO_SWEEP) for _ in source.profiles],
    }


SECTION = Section(
    "sweep",
    "Sweep",
    ("sweep_results", "sweep_configs", "report_sweep"),
    collect,
)
