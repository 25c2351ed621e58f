"""Arrow schema of every table that Python writes."""

import pyarrow as pa

TIMESTAMP = pa.timestamp("us", tz="UTC")
WEIGHTS = pa.map_(pa.string(), pa.float64())

LEG = [
    pa.field("account_leg", pa.int64()),
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

STOP = [
    pa.field("bar_ts", TIMESTAMP),
    pa.field("stop", pa.float64()),
    pa.field("reason", pa.string()),
]

TRADE = [
    pa.field("symbol", pa.string()),
    pa.field("trade_id", pa.int64()),
    pa.field("side", pa.string()),
    pa.field("decision_ts", TIMESTAMP),
    pa.field("confidence", pa.float64()),
    pa.field("risk_distance", pa.float64()),
    pa.field("bars_held", pa.int64()),
    pa.field("exit_reason", pa.string()),
    pa.field("threshold", pa.float64()),
    pa.field("loss_streak", pa.int64()),
    pa.field("threshold_shift_after", pa.float64()),
    pa.field("shortfall", pa.float64()),
    pa.field("mae_share", pa.float64()),
    pa.field("mfe_share", pa.float64()),
    pa.field("mae_r", pa.float64()),
    pa.field("mfe_r", pa.float64()),
    pa.field("legs", pa.list_(pa.struct(LEG))),
    pa.field("stops", pa.list_(pa.struct(STOP))),
]

REPLAYED_SYMBOL = [
    pa.field("symbol", pa.string()),
    pa.field("bars", pa.int64()),
    pa.field("bars_visited", pa.int64()),
    pa.field("refused", pa.int64()),
    pa.field("no_room", pa.int64()),
    pa.field("lapsed", pa.int64()),
]

REPLAY_STATE = [
    pa.field("symbol", pa.string()),
    pa.field("bar_ts", TIMESTAMP),
    pa.field("balance", pa.float64()),
    pa.field("peak", pa.float64()),
    pa.field("loss_streak", pa.int64()),
    pa.field("last_exit_ts", TIMESTAMP),
    pa.field("side", pa.string()),
    *(
        pa.field(name, pa.float64())
        for name in (
            "qty", "entry_qty", "entry_price", "risk_distance", "stop", "target",
            "net_pnl",
        )
    ),
    pa.field("stop_reason", pa.string()),
    pa.field("has_partial", pa.bool_()),
    pa.field("bars_held", pa.int64()),
    pa.field("order_exit_reason", pa.string()),
    pa.field("order_is_partial", pa.bool_()),
    pa.field("order_side", pa.string()),
    *(
        pa.field(f"order_{name}", pa.float64())
        for name in ("confidence", "risk_distance", "risk_share", "threshold")
    ),
    pa.field("order_streak", pa.int64()),
    pa.field("memory", pa.list_(pa.float64())),
]  # fmt: skip

REPLAY_RUNS = pa.schema(
    [
        pa.field("replayed", pa.string()),
        pa.field("profile", pa.string()),
        pa.field("account", pa.string()),
        pa.field("bars", pa.int64()),
        pa.field("bars_visited", pa.int64()),
        pa.field("start_balance", pa.float64()),
        pa.field("end_balance", pa.float64()),
        pa.field("refused", pa.int64()),
        pa.field("no_room", pa.int64()),
        pa.field("lapsed", pa.int64()),
        pa.field("liquidated", pa.int64()),
        pa.field("ruined_ts", TIMESTAMP),
        pa.field("symbols", pa.list_(pa.struct(REPLAYED_SYMBOL))),
        pa.field("states", pa.list_(pa.struct(REPLAY_STATE))),
        pa.field("trades", pa.list_(pa.struct(TRADE))),
    ]
)

SHADOW_RUNS = pa.schema(
    [
        pa.field("entries", pa.string()),
        pa.field("draw", pa.int64()),
        *REPLAY_RUNS,
    ]
)

SIZING_LEARNED = pa.schema(
    [
        pa.field("profile", pa.string()),
        pa.field("symbol", pa.string()),
        pa.field("bar_ts", TIMESTAMP),
        pa.field("month", pa.string()),
        pa.field("trades", pa.int64()),
        *(
            pa.field(name, pa.float64())
            for name in ("win_probability", "win_r", "loss_r", "kelly_share")
        ),
    ]
)

EXIT_LEARNED = pa.schema(
    [
        pa.field("profile", pa.string()),
        pa.field("month", pa.string()),
        pa.field("model", pa.string()),
        pa.field("trades", pa.int64()),
        pa.field("closes", pa.int64()),
        pa.field("fitted_on", pa.string()),
        pa.field("base", pa.float64()),
        *(
            pa.field(name, pa.list_(pa.int64()))
            for name in ("root", "feature", "left", "right")
        ),
        pa.field("is_left", pa.list_(pa.bool_())),
        *(
            pa.field(name, pa.list_(pa.float64()))
            for name in (
                "value", "inputs", "recurrent", "bias", "output", "mean", "spread",
            )
        ),
    ]
)  # fmt: skip

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

PARITY_DECISIONS = pa.schema(
    [
        pa.field("symbol", pa.string()),
        pa.field("relation", pa.string()),
        pa.field("subject", pa.string()),
        pa.field("column", pa.string()),
        pa.field("rows_compared", pa.int64()),
        pa.field("values_compared", pa.int64()),
        pa.field("worst_difference", pa.float64()),
        pa.field("tolerance", pa.float64()),
        pa.field("verdict", pa.string()),
    ]
)

PARITY_FUSION = pa.schema(
    [
        pa.field("profile", pa.string()),
        pa.field("symbol", pa.string()),
        pa.field("bar_ts", TIMESTAMP),
        pa.field("verdict", pa.string()),
        pa.field("fields_that_differ", pa.string()),
    ]
)

PARITY_LIVE = pa.schema(
    [
        pa.field("profile", pa.string()),
        pa.field("symbol", pa.string()),
        pa.field("bar_ts", TIMESTAMP),
        pa.field("known_at", TIMESTAMP),
        pa.field("verdict", pa.string()),
        pa.field("cause", pa.string()),
        pa.field("fields_that_differ", pa.string()),
        pa.field("action", pa.string()),
        pa.field("action_built", pa.string()),
        pa.field("said_at", TIMESTAMP),
        pa.field("late_seconds", pa.float64()),
        pa.field("is_late", pa.bool_()),
        pa.field("order_side", pa.string()),
        pa.field("bid", pa.float64()),
        pa.field("ask", pa.float64()),
    ]
)

RANDOM_ENTRY = [
    pa.field("draw", pa.int64()),
    pa.field("shift", pa.int64()),
    pa.field("trades", pa.int64()),
    *(
        pa.field(name, pa.float64())
        for name in (
            "kept", "win_rate", "profit_factor", "net_pnl", "mean_r", "gross_r",
            "sharpe", "max_drawdown", "costs",
        )
    ),
]  # fmt: skip

RANDOM_ENTRY_RUNS = pa.schema(
    [
        pa.field("profile", pa.string()),
        pa.field("symbol", pa.string()),
        pa.field("luck", pa.float64()),
        pa.field("luck_mean_r", pa.float64()),
        pa.field("luck_gross_r", pa.float64()),
        pa.field("luck_draws", pa.int64()),
        pa.field("luck_acceptance", pa.float64()),
        pa.field("luck_note", pa.string()),
        pa.field("draws", pa.list_(pa.struct(RANDOM_ENTRY))),
    ]
)

# What trades alone give, all of them or those of a side.
OF_TRADES = [
    pa.field("trades", pa.int64()),
    pa.field("longest_win_streak", pa.int64()),
    pa.field("longest_loss_streak", pa.int64()),
    *(
        pa.field(name, pa.float64())
        for name in (
            "win_rate", "profit_factor", "mean_r", "mean_mae_r", "mean_mfe_r",
            "expectancy", "mean_win", "mean_loss", "best_trade", "worst_trade",
            "gross_pnl", "fees", "slippage", "funding", "net_pnl",
        )
    ),
]  # fmt: skip

OF_SIDE = [pa.field("side", pa.string()), *OF_TRADES]

DRAWDOWN = [
    pa.field("start_ts", TIMESTAMP),
    pa.field("trough_ts", TIMESTAMP),
    pa.field("end_ts", TIMESTAMP),
    pa.field("depth", pa.float64()),
    pa.field("days", pa.float64()),
]

DAY = [pa.field("day", pa.date32()), pa.field("equity", pa.float64())]

PERFORMANCE_RUNS = pa.schema(
    [
        pa.field("profile", pa.string()),
        pa.field("symbol", pa.string()),
        pa.field("strategy", pa.string()),
        *OF_TRADES,
        *(
            pa.field(name, pa.float64())
            for name in (
                "return_share", "cagr", "volatility", "sharpe", "sortino", "calmar",
                "max_drawdown", "best_day", "worst_day", "under_water_share",
                "longest_under_water_days", "turnover", "exposure",
            )
        ),
        pa.field("ruined_at", TIMESTAMP),
        pa.field("sides", pa.list_(pa.struct(OF_SIDE))),
        pa.field("drawdowns", pa.list_(pa.struct(DRAWDOWN))),
        pa.field("days", pa.list_(pa.struct(DAY))),
    ]
)  # fmt: skip

SCREENING_GATES = pa.schema(
    [
        pa.field("profile", pa.string()),
        pa.field("symbol", pa.string()),
        pa.field("gate_number", pa.int64()),
        pa.field("gate", pa.string()),
        pa.field("bars", pa.int64()),
        pa.field("asks", pa.string()),
    ]
)

GATE = [
    pa.field("gate", pa.string()),
    pa.field("passed", pa.bool_()),
    pa.field("asks", pa.string()),
    pa.field("found", pa.string()),
]

TRADE_REASONS = pa.schema(
    [
        pa.field("profile", pa.string()),
        pa.field("symbol", pa.string()),
        pa.field("trade_id", pa.int64()),
        pa.field("why_entered", pa.string()),
        pa.field("why_left", pa.string()),
        pa.field("gates", pa.list_(pa.struct(GATE))),
    ]
)

_STATE = pa.struct(
    [
        pa.field(name, pa.float64())
        for name in (
            "occupancy", "vix", "move", "realized_vol_72", "dxy_gap_91",
            "vix_change", "move_change", "dxy_change", "dxy",
        )
    ]
)  # fmt: skip

REGIME_FIT = [
    pa.field("fit_at", TIMESTAMP),
    pa.field("first_day", pa.date32()),
    pa.field("last_day", pa.date32()),
    pa.field("days", pa.int64()),
    pa.field("outcome", pa.string()),
    pa.field("reason", pa.string()),
    pa.field("columns_used", pa.list_(pa.string())),
    pa.field("columns_left_out", pa.string()),
    pa.field("log_likelihood", pa.float64()),
    pa.field("is_short_history", pa.bool_()),
    pa.field("agreement_with_last", pa.float64()),
    pa.field("state_stress", pa.list_(pa.float64())),
    pa.field("risk_on", _STATE),
    pa.field("neutral", _STATE),
    pa.field("risk_off", _STATE),
    pa.field("crisis", _STATE),
]

REGIME_DAY = [
    pa.field("day", pa.date32()),
    pa.field("fit_at", TIMESTAMP),
    pa.field("p_risk_on", pa.float64()),
    pa.field("p_neutral", pa.float64()),
    pa.field("p_risk_off", pa.float64()),
    pa.field("p_crisis", pa.float64()),
    pa.field("most_likely", pa.string()),
    pa.field("regime", pa.string()),
    pa.field("predictive_log_likelihood", pa.float64()),
]

REGIME_RUNS = pa.schema(
    [
        pa.field("classifier", pa.string()),
        pa.field("fit_window", pa.string()),
        pa.field("reference_symbol", pa.string()),
        pa.field("is_of_all", pa.bool_()),
        pa.field("fits", pa.list_(pa.struct(REGIME_FIT))),
        pa.field("days", pa.list_(pa.struct(REGIME_DAY))),
    ]
)

REGIME_REPLAYS = pa.schema(
    [
        pa.field("profile", pa.string()),
        pa.field("symbol", pa.string()),
        pa.field("classifier", pa.string()),
        pa.field("span", pa.string()),
        pa.field("figure", pa.string()),
        pa.field("without_regime", pa.float64()),
        pa.field("with_regime", pa.float64()),
        pa.field("difference", pa.float64()),
        pa.field("low", pa.float64()),
        pa.field("high", pa.float64()),
        pa.field("comparisons", pa.int64()),
    ]
)

SWEEP_FOLD = [
    pa.field("fold", pa.string()),
    pa.field("trades", pa.int32()),
    pa.field("wins", pa.int32()),
    *(
        pa.field(name, pa.float64())
        for name in (
            "net_pnl", "gross_pnl", "fees", "slippage", "funding", "r_sum",
            "profit_factor", "return_share", "sharpe", "max_drawdown", "exposure",
        )
    ),
    pa.field("trades_hash", pa.uint64()),
]  # fmt: skip

SWEEP_RUNS = pa.schema(
    [
        pa.field("grid", pa.string()),
        pa.field("config", pa.string()),
        pa.field("symbol", pa.string()),
        pa.field("profile", pa.string()),
        pa.field("violation", pa.string()),
        pa.field("entry_threshold", pa.float64()),
        pa.field("weights", WEIGHTS),
        pa.field("alignment_required", pa.bool_()),
        pa.field("atr_rank_floor", pa.float64()),
        pa.field("atr_rank_cap", pa.float64()),
        pa.field("veto_limit", pa.float64()),
        pa.field("cooldown_bars", pa.int32()),
        pa.field("stop_atr", pa.float64()),
        pa.field("target_r", pa.float64()),
        pa.field("partial_at_r", pa.float64()),
        pa.field("partial_share", pa.float64()),
        pa.field("trail_atr", pa.float64()),
        pa.field("time_stop_bars", pa.int32()),
        pa.field("volume_trap_z", pa.float64()),
        pa.field("volume_trap_atr", pa.float64()),
        pa.field("vix_exit", pa.float64()),
        pa.field("macro_exit_veto", pa.float64()),
        pa.field("sizing_kind", pa.string()),
        pa.field("sizing_risk", pa.float64()),
        pa.field("volatility_target", pa.float64()),
        pa.field("drawdown_limit", pa.float64()),
        pa.field("kelly_fraction", pa.float64()),
        pa.field("folds", pa.list_(pa.struct(SWEEP_FOLD))),
    ]
)

EVALUATION_SWEEP = pa.schema(
    [
        pa.field("symbol", pa.string()),
        pa.field("grid", pa.string()),
        pa.field("months", pa.int64()),
        pa.field("trials", pa.int64()),
        pa.field("best_config", pa.string()),
        pa.field("best_sharpe", pa.float64()),
        pa.field("mean_correlation", pa.float64()),
        pa.field("effective_trials", pa.float64()),
        pa.field("expected_sharpe", pa.float64()),
        pa.field("needed_sharpe", pa.float64()),
        pa.field("visible_annual_sharpe", pa.float64()),
        pa.field("deflated_sharpe", pa.float64()),
        pa.field("blocks", pa.int64()),
        pa.field("combinations", pa.int64()),
        pa.field("overfitting", pa.float64()),
        pa.field("loss_probability", pa.float64()),
    ]
)

WALK_SCORE = [
    pa.field("month", pa.string()),
    pa.field("months_known", pa.int64()),
    pa.field("configs", pa.int64()),
    pa.field("model", pa.string()),
    pa.field("squared_error", pa.float64()),
    pa.field("total", pa.float64()),
    pa.field("total_squares", pa.float64()),
    pa.field("rank_correlation", pa.float64()),
    pa.field("same_threshold", pa.float64()),
    pa.field("picked", pa.float64()),
    pa.field("average", pa.float64()),
    pa.field(
        "shuffled",
        pa.list_(
            pa.struct(
                [
                    pa.field("feature", pa.string()),
                    pa.field("squared_error", pa.float64()),
                ]
            )
        ),
    ),
]

WALK_PROPOSAL = [
    pa.field("profile", pa.string()),
    pa.field("month", pa.string()),
    pa.field("regime", pa.string()),
    pa.field("domain", pa.string()),
    pa.field("weight", pa.float64()),
    pa.field("threshold", pa.float64()),
    pa.field("confidence", pa.float64()),
    pa.field("reason", pa.string()),
]

WALK_FIT = [pa.field("model", pa.string()), pa.field("r2", pa.float64())]

SWEEP_WALKS = pa.schema(
    [
        pa.field("symbol", pa.string()),
        pa.field("domains", pa.list_(pa.string())),
        pa.field("months", pa.int64()),
        pa.field("configs", pa.int64()),
        pa.field("longest_hours", pa.int64()),
        pa.field("in_sample", pa.list_(pa.struct(WALK_FIT))),
        pa.field("scores", pa.list_(pa.struct(WALK_SCORE))),
        pa.field("proposals", pa.list_(pa.struct(WALK_PROPOSAL))),
    ]
)

OPTIMIZER_FIGURES = pa.schema(
    [
        pa.field("symbol", pa.string()),
        pa.field("profile", pa.string()),
        pa.field("section", pa.string()),
        pa.field("subject", pa.string()),
        pa.field("figure", pa.string()),
        pa.field("value", pa.float64()),
        pa.field("low", pa.float64()),
        pa.field("high", pa.float64()),
        pa.field("note", pa.string()),
    ]
)

SIZING_FIGURES = OPTIMIZER_FIGURES

LEARNED_FIGURES = pa.schema(
    [field for field in OPTIMIZER_FIGURES if field.name != "symbol"]
)

OTHER_EXITS = pa.schema(
    [
        *(pa.field(name, pa.string()) for name in ("profile", "symbol", "exit_rule")),
        *(pa.field(name, pa.int64()) for name in ("trades", "left_earlier")),
        *(pa.field(name, pa.float64()) for name in ("gain_r", "low", "high")),
    ]
)

WALK_FORWARD = pa.schema(
    [
        *(
            pa.field(name, pa.string())
            for name in (
                "symbol", "train_from", "train_until", "test_from", "test_until",
                "config",
            )
        ),
        pa.field("weights", WEIGHTS),
        *(
            pa.field(name, pa.float64())
            for name in (
                "entry_threshold", "in_sample_r", "out_of_sample_r", "average_r",
                "share_beaten",
            )
        ),
    ]
)  # fmt: skip

SCORE_MONTH = [
    pa.field("month", pa.string()),
    pa.field("hours", pa.int64()),
    pa.field("information_coefficient", pa.float64()),
]

SCORE_LAG = [
    pa.field("lag_hours", pa.int64()),
    *(
        pa.field(name, pa.float64())
        for name in (
            "information_coefficient", "ic_low", "ic_high", "spread_bps", "spread_low",
            "spread_high",
        )
    ),
]  # fmt: skip

SCORE_WORTHS = pa.schema(
    [
        *(pa.field(name, pa.string()) for name in ("kind", "name", "symbol", "regime")),
        *(
            pa.field(name, pa.int64())
            for name in ("horizon_hours", "hours", "days", "active_hours", "months")
        ),
        *(
            pa.field(name, pa.float64())
            for name in (
                "coverage", "information_coefficient", "ic_low", "ic_high",
                "month_ic_mean", "month_ic_sd", "months_same_sign", "top_bps",
                "bottom_bps", "spread_bps", "spread_low", "spread_high", "hit_rate",
                "hit_low", "hit_high", "turnover", "cost_bps", "break_even_bps",
                "p_value", "p_adjusted", "detectable",
            )
        ),
        pa.field("comparisons", pa.int64()),
        pa.field("tested", pa.string()),
        pa.field("by_month", pa.list_(pa.struct(SCORE_MONTH))),
        pa.field("decay", pa.list_(pa.struct(SCORE_LAG))),
    ]
)  # fmt: skip

SAMPLES = pa.schema(
    [
        *(pa.field(name, pa.string()) for name in ("profile", "symbol", "sample")),
        pa.field("until_at", TIMESTAMP),
        *(pa.field(name, pa.int64()) for name in ("tried", "days", "trades")),
        *(
            pa.field(name, pa.float64())
            for name in (
                "win_rate", "profit_factor", "mean_r", "gross_pnl", "net_pnl",
                "return_share", "sharpe", "max_drawdown",
            )
        ),
    ]
)  # fmt: skip
