// One trade, told: why we entered, what voted, why we left.

function gatesTable(trade) {
  return el(
    "table",
    { id: "trade-gates" },
    el(
      "thead",
      {},
      el(
        "tr",
        {},
        ...["Gate", "It was", "Asked"].map((name) => el("th", { scope: "col" }, name)),
        el("th", { scope: "col" }, "Passed"),
      ),
    ),
    el(
      "tbody",
      {},
      ...gatesOf(trade).map(([name, was, asked, passed]) =>
        el(
          "tr",
          {},
          el("th", { scope: "row" }, name),
          el("td", {}, was),
          el("td", {}, asked),
          el("td", {}, passed ? "✓ yes" : "✕ no"),
        ),
      ),
    ),
  );
}

function votesTable(trade) {
  const rows = of("trades").domains.map((domain) => {
    const score = trade[`score_${domain}`];
    const vote = toldOf(trade, of("trades").told.votes[domain]) ?? "–";
    const bar = el("i", { class: "lean" }, el("b"));
    if (isNumber(score)) {
      bar.firstChild.style.cssText = `left:${Math.min(score, 0.5) * 100}%;width:${Math.abs(score - 0.5) * 100}%`;
    }
    return el(
      "tr",
      {},
      el("th", { scope: "row" }, domain),
      el("td", { class: "n" }, number(score, 3)),
      el("td", {}, bar),
      el("td", {}, vote),
      el("td", { class: "n" }, number(trade[`weight_${domain}`], 2)),
    );
  });
  const heads = [
    ["Domain"],
    ["Score", "n"],
    ["short · long"],
    ["Vote"],
    ["Weight", "n"],
  ];
  return el(
    "table",
    { id: "trade-votes" },
    el(
      "thead",
      {},
      el(
        "tr",
        {},
        ...heads.map(([name, kind]) => el("th", { scope: "col", class: kind }, name)),
      ),
    ),
    el("tbody", {}, ...rows),
  );
}

function moneyTable(trade) {
  const lines = [
    ["Gross", trade.gross_pnl],
    ["Fees", -trade.fees],
    ["Slippage", -trade.slippage],
    ["Funding", -trade.funding],
    ["Net", trade.net_pnl],
    ["Not paid: the account had no more", trade.shortfall],
  ].filter(([name, value]) => value || !name.startsWith("Not paid"));
  return el(
    "table",
    { id: "trade-money" },
    el(
      "tbody",
      {},
      ...lines.map(([name, value]) =>
        el(
          "tr",
          {},
          el("th", { scope: "row" }, name),
          el("td", { class: `n ${name === "Net" ? tone(value) : ""}` }, money(value)),
        ),
      ),
    ),
  );
}

function heading(trade, trades) {
  const won = trade.net_pnl > 0;
  return el(
    "div",
    { class: "trade-head" },
    el(
      "h3",
      {},
      `Trade ${trade.trade_id} of ${number(trades.length)}: ${trade.side}, `,
      el(
        "span",
        { class: won ? "gain" : "loss" },
        `${won ? "won" : "lost"} ${number(trade.r_multiple, 2, true)} R`,
      ),
    ),
    el(
      "div",
      { class: "group" },
      el("button", { type: "button", onclick: () => stepTrade(-1) }, "← Previous"),
      el("button", { type: "button", onclick: () => stepTrade(1) }, "Next →"),
    ),
  );
}

function noTrade(trades) {
  const first = () => pickTrade(trades[0].trade_id, false);
  return el(
    "p",
    { class: "quiet" },
    trades.length
      ? "Choose a trade in the chart or in the table below: what voted, which gates let it " +
          "through, why it ended."
      : "This profile made no trade; the gates of the screening section say why.",
    trades.length
      ? el("button", { type: "button", onclick: first }, "Show the first trade")
      : null,
  );
}

function drawTrade() {
  const trades = tradesOf(state.profile);
  const trade = trades.find((one) => one.trade_id === state.trade);
  if (!trade) return fill("trade", noTrade(trades));
  const part = (title, ...children) => el("div", {}, el("h4", {}, title), ...children);
  const said = (text) => el("p", {}, text);
  const scroll = (table) => el("div", { class: "scroll" }, table);
  return fill(
    "trade",
    heading(trade, trades),
    el(
      "div",
      { class: "trade-grid" },
      part("Why we entered", said(decision(trade)), scroll(gatesTable(trade))),
      part("What voted", scroll(votesTable(trade)), said(opinion(trade))),
      part("Why we left", said(left(trade)), moneyTable(trade)),
    ),
  );
}

// Show a trade in the chart; from the table the page goes there too.
function pickTrade(tradeId, isFromTable) {
  const trade = tradesOf(state.profile).find((one) => one.trade_id === tradeId);
  if (!trade || !report.sections.price || absenceOf("price") !== null) return;
  state.trade = tradeId;
  remember();
  const margin = Math.max(24 * HOUR, (trade.exit_ts - trade.entry_ts) * 1.5);
  show(trade.entry_ts - margin, trade.exit_ts + margin);
  drawTrade();
  markChosen();
  if (isFromTable) {
    const isCalm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    byId("price").scrollIntoView({ behavior: isCalm ? "auto" : "smooth" });
    byId("price-chart").focus({ preventScroll: true });
  }
}

function stepTrade(step) {
  const trades = tradesOf(state.profile);
  const place = trades.findIndex((one) => one.trade_id === state.trade);
  const next =
    trades[place < 0 ? 0 : Math.min(Math.max(place + step, 0), trades.length - 1)];
  if (next) pickTrade(next.trade_id, false);
}
