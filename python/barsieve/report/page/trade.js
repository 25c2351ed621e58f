// One trade, told: why we entered, why we left, what it came to.

const REASONS = {
  stop: "the price reached the stop that it began with",
  break_even: "the price came back to the stop at break-even, set after a partial",
  trail: "the price reached the stop that trailed it",
  volume_trap: "after a surge of volume the stop was drawn close, and reached",
  target: "the price reached the target",
  macro: "at a close the macro veto, or the VIX, had reached the profile's limit",
  time: "it had been held as long as the profile allows",
  reversal: "at a close the signal for the other side was admitted",
  end_of_data: "the history ended; closed at the last close",
};

const rowsOfTrades = new Map();

// The trades of a profile as objects, in order; made once.
function tradesOf(index) {
  if (!rowsOfTrades.has(index)) {
    const packed = report.sections.trades?.profiles[index].columns ?? {};
    const names = Object.keys(packed);
    const columns = names.map((name) => column(packed[name]));
    const rows = Array.from(columns[0] ?? [], (_, k) =>
      Object.fromEntries(names.map((name, j) => [name, columns[j][k]])));
    rowsOfTrades.set(index, rows);
  }
  return rowsOfTrades.get(index);
}

function signalsOf(tradeId) {
  const { signals } = of("trades");
  const [ids, names, vetoes, greenlights] = [signals.trade_id, signals.signal, signals.veto, signals.greenlight].map(column);
  const found = [];
  for (let k = 0; k < ids.length; k++) {
    if (ids[k] === tradeId) found.push({ name: names[k], veto: vetoes[k], greenlight: greenlights[k] });
  }
  return found;
}

function gatesOf(trade) {
  const rules = profile();
  const isStreak = trade.loss_streak >= rules.loss_streak_trades;
  const inForce = trade.entry_threshold + (isStreak ? rules.loss_streak_shift : 0);
  const votes = `${number(trade.votes_long)} long, ${number(trade.votes_short)} short`;
  return [
    ["Scores known", `${number(trade.domains_used)} domains`, "at least one", trade.domains_used > 0],
    ["ATR rank", number(trade.atr_rank_100, 2), `${rules.atr_rank_floor} to ${rules.atr_rank_cap}`,
      trade.atr_rank_100 >= rules.atr_rank_floor && trade.atr_rank_100 <= rules.atr_rank_cap],
    ["Trends align", `${trade.is_aligned ? "yes" : "no"} (${number(trade.alignment, 1)})`,
      rules.alignment_required ? "required" : "not required", trade.is_aligned > 0 || !rules.alignment_required],
    ["Cadence", "first such bar of its block", rules.cadence, true],
    ["Side", `${trade.side}: ${votes}`, "majority, a tie by the score", true],
    ["Confidence", number(trade.confidence, 3), `at least ${number(inForce, 3)}` +
      (isStreak ? ` (${number(rules.loss_streak_shift, 3)} of it for ${number(trade.loss_streak)} losses in a row)` : ""),
      trade.confidence >= inForce],
    ["Macro veto", number(trade.net_veto, 2), `below ${rules.veto_limit}`, trade.net_veto < rules.veto_limit],
  ].filter(([name]) => name !== "Cadence" || rules.cadence !== "1h");
}

function gatesTable(trade) {
  return el("table", { id: "trade-gates" }, el("thead", {}, el("tr", {}, ...["Gate", "It was", "Asked"].map((name) => el("th", { scope: "col" }, name)), el("th", { scope: "col" }, "Passed"))),
    el("tbody", {}, ...gatesOf(trade).map(([name, was, asked, passed]) => el("tr", {},
      el("th", { scope: "row" }, name), el("td", {}, was), el("td", {}, asked), el("td", {}, passed ? "✓ yes" : "✕ no")))));
}

function votesTable(trade) {
  const rows = report.sections.trades.domains.map((domain) => {
    const score = trade[domain];
    const vote = score > 0.55 ? "long" : score < 0.45 ? "short" : "–";
    const bar = el("i", { class: "lean" }, el("b"));
    if (isNumber(score)) {
      bar.firstChild.style.cssText = `left:${Math.min(score, 0.5) * 100}%;width:${Math.abs(score - 0.5) * 100}%`;
    }
    return el("tr", {}, el("th", { scope: "row" }, domain), el("td", { class: "n" }, number(score, 3)), el("td", {}, bar),
      el("td", {}, vote), el("td", { class: "n" }, number(profile()[`weight_${domain}`], 2)));
  });
  const heads = [["Domain"], ["Score", "n"], ["short · long"], ["Vote"], ["Weight", "n"]];
  return el("table", { id: "trade-votes" }, el("thead", {}, el("tr", {}, ...heads.map(([name, kind]) => el("th", { scope: "col", class: kind }, name)))),
    el("tbody", {}, ...rows));
}

function signalList(trade) {
  const found = signalsOf(trade.trade_id);
  if (!found.length) return "No macro signal was in force.";
  return `Macro signals in force: ${found.map((one) => `${words(one.name)} ` +
    (one.veto > 0 ? `(veto ${number(one.veto, 2)})` : one.greenlight > 0 ? `(greenlight ${number(one.greenlight, 2)})` : "(not against this side)")).join(", ")}.`;
}

function moneyTable(trade) {
  const lines = [["Gross", trade.gross_pnl], ["Fees", -trade.fees], ["Slippage", -trade.slippage],
    ["Funding", -trade.funding], ["Net", trade.net_pnl]];
  return el("table", { id: "trade-money" }, el("tbody", {}, ...lines.map(([name, value]) =>
    el("tr", {}, el("th", { scope: "row" }, name), el("td", { class: `n ${name === "Net" ? tone(value) : ""}` }, money(value))))));
}

function heading(trade, trades) {
  const won = trade.net_pnl > 0;
  return el("div", { class: "trade-head" },
    el("h3", {}, `Trade ${trade.trade_id} of ${number(trades.length)}: ${trade.side}, `,
      el("span", { class: won ? "gain" : "loss" }, `${won ? "won" : "lost"} ${number(trade.r_multiple, 2, true)} R`)),
    el("div", { class: "group" },
      el("button", { type: "button", onclick: () => stepTrade(-1) }, "← Previous"),
      el("button", { type: "button", onclick: () => stepTrade(1) }, "Next →")));
}

function left(trade) {
  const partial = isNumber(trade.partial_ts)
    ? ` At ${moment(trade.partial_ts)} a part of ${number(trade.partial_qty, 4)} was closed at ${number(trade.partial_price, 2)}.` : "";
  return `${words(trade.exit_reason)}: ${REASONS[trade.exit_reason] ?? "see the replay"}. Held ${number(trade.bars_held)} bars, ` +
    `from ${moment(trade.entry_ts)} at ${number(trade.entry_price, 2)} to ${moment(trade.exit_ts)} at ${number(trade.exit_price, 2)}.${partial}`;
}

function drawTrade() {
  const trades = tradesOf(state.profile);
  const trade = trades.find((one) => one.trade_id === state.trade);
  if (!trade) {
    const sentence = trades.length
      ? "Choose a trade in the chart or in the table below: what voted, which gates let it through, why it ended."
      : "This profile made no trade; the gates of the screening section say why.";
    fill("trade", el("p", { class: "quiet" }, sentence,
      trades.length ? el("button", { type: "button", onclick: () => pickTrade(trades[0].trade_id, false) }, "Show the first trade") : ""));
    return;
  }
  const sentinels = trade.sentinels ? `Sentinels of the bar: ${trade.sentinels.split(",").map(words).join(", ")}.`
    : trade.is_on_candidate ? "No sentinel fired on the bar." : "The bar is no candidate of the screen.";
  fill("trade", heading(trade, trades), el("div", { class: "trade-grid" },
    el("div", {}, el("h4", {}, "Why we entered"), el("p", {}, `Decided at the close of the bar of ${moment(trade.decision_ts)} UTC. ${sentinels}`), el("div", { class: "scroll" }, gatesTable(trade))),
    el("div", {}, el("h4", {}, "What voted"), el("div", { class: "scroll" }, votesTable(trade)), el("p", {}, `Fusion score ${number(trade.fusion_score, 3)}. ${signalList(trade)}`)),
    el("div", {}, el("h4", {}, "Why we left"), el("p", {}, left(trade)), moneyTable(trade),
      trade.regime && trade.regime !== "off" ? el("p", {}, `Regime at entry: ${words(trade.regime)}.`) : "")));
}

// Show a trade in the chart; from the table the page goes there too.
function pickTrade(tradeId, isFromTable) {
  const trade = tradesOf(state.profile).find((one) => one.trade_id === tradeId);
  if (!trade) return;
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
  const next = trades[place < 0 ? 0 : Math.min(Math.max(place + step, 0), trades.length - 1)];
  if (next) pickTrade(next.trade_id, false);
}
