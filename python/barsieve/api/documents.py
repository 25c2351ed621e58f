"""Answers in one document: what would be done at the next open, why a trade was."""

from collections.abc import Iterator, Mapping
from typing import Any

from barsieve.core.prices import shown_price
from barsieve.core.text import Page, Shown, number


class Document(Shown, Mapping[str, Any]):
    """An answer as a mapping: the same names and values as the command's `--json`."""

    def __init__(self, found: Mapping[str, Any]):
        """Keep what was found."""
        self._found = dict(found)

    def __getitem__(self, name: str) -> Any:
        return self._found[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._found)

    def __len__(self) -> int:
        return len(self._found)


def _votes(found: Mapping[str, Any]) -> str:
    votes = [f"{v['domain']} {v['vote']}" for v in found["votes"] if v["vote"]]
    return ", ".join(votes) or "none"


def _closed_gates(found: Mapping[str, Any]) -> str:
    closed = [gate["gate"] for gate in found["gates"] if not gate["passed"]]
    return ", ".join(closed) or "none"


class Signal(Document):
    """Signal of a replay for the next open, and everything that it decides upon."""

    def page(self) -> Page:
        """Return the decision and what bars an entry."""
        order, position = self["order"], self["position"]
        rows = [
            ("action", self["action"]),
            ("side", self["side"]),
            ("confidence", number(self["confidence"], ".4f")),
            ("threshold", f"{self['threshold'] + self['loss_streak_shift']:.4g}"),
            ("votes", _votes(self)),
            ("gates closed", _closed_gates(self)),
            ("balance, USD", f"{self['balance']:,.2f}"),
        ]
        if position:
            rows.append(("position", f"{position['side']} {position['qty']:.6g}"))
            rows.append(("stop", shown_price(position["stop"])))
        if order:
            rows.append(("order", f"{order['side']} {order['qty']:.6g}"))
            rows.append(("stop", shown_price(order["stop"])))
        opens = f"{self['known_at']:%Y-%m-%d %H:%M} UTC"
        title = f"{self['profile']}, {self['symbol']}: at the open of {opens}"
        return Page(title, ("", ""), rows)


class Explanation(Document):
    """A trade with all that it was decided upon, leg by leg, and why in words."""

    def page(self) -> Page:
        """Return the legs, and why it was entered and left."""
        trade = self["trade"]
        rows = [
            (
                leg["kind"], f"{leg['ts']:%Y-%m-%d %H:%M}", shown_price(leg["price"]),
                f"{leg['qty']:.6g}", f"{leg['amount']:,.2f}", f"{leg['fee']:,.2f}",
            )
            for leg in self["legs"]
        ]  # fmt: skip
        title = (
            f"trade {trade['trade_id']} of {trade['profile']}: {trade['side']} "
            f"{trade['symbol']}, {trade['net_pnl']:,.2f} USD net, "
            f"{trade['r_multiple']:.2f} R"
        )
        columns = ("kind", "time", "price", "qty", "result", "fee")
        return Page(title, columns, rows, (self["why_entered"], self["why_left"]))


class Regimes(Document):
    """The regimes that were believed at a moment, and what they shift."""

    def page(self) -> Page:
        """Return the beliefs."""
        names = ("risk_on", "neutral", "risk_off", "crisis")
        rows = [
            (
                b["classifier"], b["fit_window"], b["reference_symbol"], b["regime"],
                *(number(b[f"p_{name}"], ".1%") for name in names),
                f"{b['threshold_shift']:+.4f}", f"{b['age_hours']:,.0f}",
            )
            for b in self["beliefs"]
        ]  # fmt: skip
        columns = ("classifier", "window", "reference", "regime", *names)
        title = f"regimes at {self['at']:%Y-%m-%d %H:%M} UTC"
        return Page(title, (*columns, "shift", "hours ago"), rows)
