"""`barsieve optimize` and `barsieve walk-forward`: what was learned, and its worth."""

from typing import Annotated, Any

import typer

from barsieve.cli.choices import current
from barsieve.cli.output import (
    AsJson,
    number,
    out,
    print_json,
    refusing,
    table,
)

MODEL = {
    "in_sample_r2": ("R² in sample", "+.3f"),
    "walk_forward_r2": ("R² forward", "+.3f"),
    "rank_correlation": ("rank corr.", "+.3f"),
    "same_threshold": ("same threshold", "+.3f"),
    "lift_r": ("lift R", "+.2f"),
    "picked_r": ("picked R", "+.2f"),
    "average_r": ("average R", "+.2f"),
    "months": ("months", ".0f"),
}
STRATEGY = {
    "trades": ("trades", ",.0f"),
    "win_rate": ("win", ".1%"),
    "profit_factor": ("factor", ".2f"),
    "return_share": ("return", "+.1%"),
    "sharpe": ("Sharpe", "+.2f"),
    "max_drawdown": ("drawdown", ".1%"),
}
FORMATS = {
    "profitable_share": ".1%",
    "pbo": ".0%",
    "loss_probability": ".0%",
    "trials": ",.0f",
    "trials_without_a_trade": ",.0f",
    "mean_daily_return": "+.4%",
}


def _wide(title: str, first: str, rows: list[dict], shown: dict[str, tuple]) -> None:
    """Print figures across and their subjects down."""
    found = {(r["subject"], r["figure"]): r["value"] for r in rows}
    lines = [
        [subject, *(number(found.get((subject, f)), shown[f][1]) for f in shown)]
        for subject in dict.fromkeys(r["subject"] for r in rows)
    ]
    if lines:
        out.print(table(title, [first, *(name for name, _ in shown.values())], lines))


def _long(title: str, rows: list[dict[str, Any]]) -> None:
    """Print a figure a line, with its interval."""
    lines = []
    for r in rows:
        pattern = FORMATS.get(r["figure"], "+.3f")
        ends = [number(r[name], pattern) for name in ("value", "low", "high")]
        lines.append([r["subject"], r["figure"], *ends])
    if lines:
        out.print(table(title, ["input", "figure", "is", "low", "high"], lines))


def _print_symbol(symbol: str, rows: list[dict[str, Any]]) -> None:
    by_section: dict[str, list[dict]] = {}
    for r in rows:
        by_section.setdefault(r["section"], []).append(r)
    section = by_section.get
    _wide(f"{symbol}: months predicted", "strategy", section("model", []), MODEL)
    models = {r["figure"] for r in section("importance", [])}
    shown = {model: (model, "+.3f") for model in sorted(models)}
    _wide(
        f"{symbol}: fall of the walk-forward R² with an input out of order",
        "input", section("importance", []), shown,
    )  # fmt: skip
    _long(
        f"{symbol}: the sweep itself",
        [*section("sweep", []), *section("overfitting", [])],
    )
    for profile in dict.fromkeys(r["profile"] for r in section("strategy", [])):
        own = [r for r in section("strategy", []) if r["profile"] == profile]
        _wide(f"{profile}: out of sample", "strategy", own, STRATEGY)
        less = [r for r in section("learned_less", []) if r["profile"] == profile]
        _long(f"{profile}: learned less the others, 95 % intervals", less)
    for r in section("verdict", []):
        out.print(f"{symbol}: {r['note']}\n", markup=False, highlight=False)


def optimize(as_json: AsJson = False) -> None:
    """Print what learning from the sweep is worth, in sample beside out of sample.

    The figures are those of the last build (table report_optimizer).

    Example: barsieve optimize
    """
    with refusing():
        rows = current().optimizer_rows()
    if as_json:
        print_json(rows)
        return
    for symbol in sorted({r["symbol"] for r in rows}):
        _print_symbol(symbol, [r for r in rows if r["symbol"] == symbol])


def _span(window: dict[str, Any], of: str) -> str:
    first, last = window[f"{of}_from"], window[f"{of}_until"]
    return first if first == last else f"{first} to {last}"


def _print_windows(windows: list[dict[str, Any]]) -> None:
    columns = ["symbol", "train", "test", "weights", "entry", "train R", "test R",
               "all R", "beats"]  # fmt: skip
    lines = [
        [
            w["symbol"], _span(w, "train"), _span(w, "test"),
            "/".join(f"{100 * weight:.0f}" for weight in w["weights"].values()),
            f"{w['entry_threshold']:.3f}", f"{w['in_sample_r']:+.2f}",
            f"{w['out_of_sample_r']:+.2f}", f"{w['average_r']:+.2f}",
            f"{w['share_beaten']:.0%}",
        ]
        for w in windows
    ]  # fmt: skip
    title = "best in training, and what came after (R a month, after costs)"
    out.print(table(title, columns, lines))
    for domains in dict.fromkeys("/".join(w["weights"]) for w in windows):
        out.print(f"weights: {domains}, per cent")
    for symbol in sorted({w["symbol"] for w in windows}):
        own = [w for w in windows if w["symbol"] == symbol]
        means = {
            name: sum(w[name] for w in own) / len(own)
            for name in ("in_sample_r", "out_of_sample_r", "average_r")
        }
        out.print(
            f"{symbol}, {len(own)} windows: {means['in_sample_r']:+.2f} R a month in "
            f"training, {means['out_of_sample_r']:+.2f} after; all configurations "
            f"{means['average_r']:+.2f}",
            markup=False,
            highlight=False,
        )


def walk_forward(
    train: Annotated[int, typer.Option(min=1, help="Months of training.")] = 12,
    test: Annotated[int, typer.Option(min=1, help="Months tested after.")] = 1,
    profile: Annotated[
        str | None, typer.Option(help="Only the symbol that this profile trades.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Train on months of the sweep, test on the next, roll.

    The best configuration of each training, there and afterwards.

    Example: barsieve walk-forward --train 12 --test 1
    """
    with refusing():
        windows = current().walk_forward_rows(train, test, profile)
    if as_json:
        print_json(windows)
        return
    _print_windows(windows)
