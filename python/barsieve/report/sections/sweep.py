"""A sweep of many configurations, and how little its best one may mean."""

from typing import Any

from barsieve.report.section import Section
from barsieve.report.source import Source

FIGURES = """
    from report_sweep where list_contains($symbols, symbol) order by symbol, grid
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
        config, configs.* exclude (grid, config, symbol, profile, violation),
        trades::double as trades, net_pnl, sharpe, first_net, second_net,
    from sweep_results
    inner join sweep_configs as configs using (grid, config, symbol)
    inner join halves using (config)
    where fold = 'all' and grid = $grid and symbol = $symbol
    order by config
"""
REFUSED = """
    select violation, count(*) as configurations from sweep_configs
    where violation is not null and grid = $grid and symbol = $symbol
    group by violation order by violation
"""
OTHERS = """
    select distinct grid, symbol from sweep_results
    anti join report_sweep using (grid, symbol)
    where list_contains($symbols, symbol) order by all
"""
RESULTS = {"trades": 0, "net_pnl": 2, "sharpe": 4, "first_net": 2, "second_net": 2}

# What the legacy system said of its own sweep over the real market.
LEGACY = {
    "profitable_share": {"all": 0.024, "BTC": 0.012, "ETH": 0.034},
    "threshold_sharpe_correlation": {"all": -0.556},
}


def _sweep(source: Source, figures: dict[str, Any]) -> dict[str, Any]:
    """Return a sweep's figures, and columns of its configurations that vary."""
    about = {name: figures[name] for name in ("grid", "symbol")}
    columns = source.arrays(
        CONFIGURATIONS, **about, second_half_from=figures["second_half_from"]
    )
    names = columns.pop("config").tolist()
    results = {
        name: source.pack.rounded(columns.pop(name).astype(float), decimals)
        for name, decimals in RESULTS.items()
    }
    varied = {
        name: source.pack.rounded(values.astype(float), 6)
        for name, values in columns.items()
        if len(set(values.tolist())) > 1
    }
    return {
        "figures": figures,
        "best": names.index(figures["best_config"]),
        "winner": names.index(figures["winner_config"])
        if figures["winner_config"]
        else None,
        "settings": varied,
        "results": results,
        "refused": source.rows(REFUSED, **about),
    }


def collect(source: Source) -> dict[str, Any]:
    """Return the judged sweeps of the symbols shown, and what was claimed of one."""
    (build,) = source.rows("select is_simulated from build_info")
    symbols = source.symbols
    return {
        "sweeps": [
            _sweep(source, row) for row in source.rows(FIGURES, symbols=symbols)
        ],
        "others": source.rows(OTHERS, symbols=symbols),
        "legacy": LEGACY,
        "is_simulated": build["is_simulated"],
    }


SECTION = Section(
    "sweep",
    "Sweep",
    ("sweep_results", "sweep_configs", "report_sweep"),
    collect,
)
