with runs as (
    select
        profile,
        symbol,
        unnest(draws) as drawn,
    from {{ ref('evaluation_random_entries') }}
)

select
    profile,
    symbol,
    drawn.draw,
    drawn.shift,
    drawn.kept,
    drawn.trades,
    drawn.win_rate,
    drawn.profit_factor,
    drawn.net_pnl,
    drawn.mean_r,
    drawn.gross_r,
    drawn.sharpe,
    drawn.max_drawdown,
    drawn.costs,
from runs
