"""Arrow schema of every table that Python writes."""

import pyarrow as pa

TIMESTAMP = pa.timestamp("us", tz="UTC")

LEG = [
    pa.field("kind", pa.string()),
    pa.field("ts", TIMESTAMP),
    pa.field("price", pa.float64()),
    pa.field("qty", pa.float64()),
    pa.field("amount", pa.float64()),
    pa.field("fee", pa.float64()),
    pa.field("slippage", pa.float64()),
    pa.field("position", pa.float64()),
    pa.field("balance", pa.float64()),
]

TRADE = [
    pa.field("trade_id", pa.int64()),
    pa.field("side", pa.string()),
    pa.field("decision_ts", TIMESTAMP),
    pa.field("confidence", pa.float64()),
    pa.field("risk_distance", pa.float64()),
    pa.field("bars_held", pa.int64()),
    pa.field("exit_reason", pa.string()),
    pa.field("legs", pa.list_(pa.struct(LEG))),
]

REPLAY_RUNS = pa.schema(
    [
        pa.field("replayed", pa.string()),
        pa.field("profile", pa.string()),
        pa.field("symbol", pa.string()),
        pa.field("bars", pa.int64()),
        pa.field("bars_visited", pa.int64()),
        pa.field("start_balance", pa.float64()),
        pa.field("end_balance", pa.float64()),
        pa.field("ruined_ts", TIMESTAMP),
        pa.field("trades", pa.list_(pa.struct(TRADE))),
    ]
)

PARITY_FEATURES = pa.schema(
    [
        pa.field("symbol", pa.string()),
        pa.field("feature", pa.string()),
        pa.field("rows_compared", pa.int64()),
        pa.field("values_compared", pa.int64()),
        pa.field("worst_difference", pa.float64()),
        pa.field("tolerance", pa.float64()),
        pa.field("verdict", pa.string()),
    ]
)

RANDOM_ENTRIES = pa.schema(
    [
        pa.field("profile", pa.string()),
        pa.field("symbol", pa.string()),
        pa.field("draw", pa.int64()),
        pa.field("trades", pa.int64()),
        pa.field("win_rate", pa.float64()),
        pa.field("profit_factor", pa.float64()),
        pa.field("net_pnl", pa.float64()),
        pa.field("sharpe", pa.float64()),
        pa.field("max_drawdown", pa.float64()),
        pa.field("costs", pa.float64()),
    ]
)
