// What the tables say of one trade, in rows and words.

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
  liquidation: "at a close the account was worth nothing; all was closed there",
};

const rowsOfTrades = new Map();

// The trades of a profile as objects, in order; made once.
function tradesOf(index) {
  if (!rowsOfTrades.has(index)) {
    const packed = report.sections.trades?.profiles[index].columns ?? {};
    const names = Object.keys(packed);
    const columns = names.map((name) => column(packed[name]));
    const rows = Array.from(columns[0] ?? [], (_, k) =>
      Object.fromEntries(names.map((name, j) => [name, columns[j][k]])),
    );
    rowsOfTrades.set(index, rows);
  }
  return rowsOfTrades.get(index);
}

// The path of each trade's stop, by its number; made once.
const pathsOfStops = new Map();

function stopsOf(tradeId) {
  if (!pathsOfStops.has(state.profile)) {
    const { stops } = of("trades");
    const [ids, moments, prices, reasons] = [
      stops.trade_id,
      stops.at,
      stops.stop,
      stops.reason,
    ].map(column);
    const paths = new Map();
    for (let k = 0; k < ids.length; k++) {
      if (!paths.has(ids[k])) paths.set(ids[k], []);
      paths.get(ids[k]).push({ at: moments[k], stop: prices[k], reason: reasons[k] });
    }
    pathsOfStops.set(state.profile, paths);
  }
  return pathsOfStops.get(state.profile).get(tradeId) ?? [];
}

function signalsOf(tradeId) {
  const { signals } = of("trades");
  const [ids, names, vetoes, greenlights] = [
    signals.trade_id,
    signals.signal,
    signals.veto,
    signals.greenlight,
  ].map(column);
  const found = [];
  for (let k = 0; k < ids.length; k++) {
    if (ids[k] === tradeId)
      found.push({ name: names[k], veto: vetoes[k], greenlight: greenlights[k] });
  }
  return found;
}

// A limit that is null is switched off.
function macroExits(rules) {
  const asked = [
    isNumber(rules.macro_exit_veto) ? `veto below ${rules.macro_exit_veto}` : null,
    isNumber(rules.vix_exit) ? `VIX below ${rules.vix_exit}` : null,
  ].filter((one) => one !== null);
  return asked.join(", ") || "the profile has none";
}

function gatesOf(trade) {
  const rules = profile();
  const raised = [
    trade.regime_shift
      ? `${number(trade.regime_shift, 3, true)} for the regime ${words(trade.regime)}`
      : null,
    trade.streak_shift
      ? `${number(trade.streak_shift, 3, true)} for ${number(trade.loss_streak)} losses in a row`
      : null,
  ].filter((one) => one !== null);
  const votes = `${number(trade.votes_long)} long, ${number(trade.votes_short)} short`;
  return [
    [
      "Scores known",
      `${number(trade.domains_used)} domains`,
      "at least one",
      trade.domains_used > 0,
    ],
    [
      "ATR rank",
      number(trade.atr_rank_100, 2),
      `${rules.atr_rank_floor} to ${rules.atr_rank_cap}`,
      trade.atr_rank_100 >= rules.atr_rank_floor && trade.atr_rank_100 <= rules.atr_rank_cap,
    ],
    [
      "Trends align",
      `${trade.is_aligned ? "yes" : "no"} (${number(trade.alignment, 1)})`,
      rules.alignment_required ? "required" : "not required",
      trade.is_aligned > 0 || !rules.alignment_required,
    ],
    ["Cadence", "first such bar of its block", rules.cadence, true],
    ["Side", `${trade.side}: ${votes}`, "majority, a tie by the score", true],
    [
      "Confidence",
      number(trade.confidence, 3),
      `at least ${number(trade.threshold, 3)}${raised.length ? ` (${raised.join(", ")})` : ""}`,
      trade.confidence >= trade.threshold,
    ],
    [
      "Macro veto",
      number(trade.net_veto, 2),
      `below ${rules.veto_limit}`,
      trade.net_veto < rules.veto_limit,
    ],
    [
      "Macro exit",
      `veto ${number(trade.net_veto, 2)}, VIX ${number(trade.vix, 1)}`,
      `not in force: ${macroExits(rules)}`,
      trade.is_macro_exit === 0,
    ],
  ].filter(([name]) => name !== "Cadence" || rules.cadence !== "1h");
}

function signalList(trade) {
  const found = signalsOf(trade.trade_id);
  if (!found.length) return "No macro signal was in force.";
  return `Macro signals in force: ${found
    .map(
      (one) =>
        `${words(one.name)} ` +
        (one.veto > 0
          ? `(veto ${number(one.veto, 2)})`
          : one.greenlight > 0
            ? `(greenlight ${number(one.greenlight, 2)})`
            : "(not against this side)"),
    )
    .join(", ")}.`;
}

function left(trade) {
  const partial = isNumber(trade.partial_ts)
    ? ` At ${moment(trade.partial_ts)} a part of ${number(trade.partial_qty, 4)} was closed at ${number(trade.partial_price, 2)}.`
    : "";
  return (
    `${words(trade.exit_reason)}: ${REASONS[trade.exit_reason] ?? "see the replay"}. Held ${number(trade.bars_held)} bars, ` +
    `from ${moment(trade.entry_ts)} at ${price(trade.entry_price)} to ${moment(trade.exit_ts)} at ${price(trade.exit_price)}.${partial}`
  );
}

function decision(trade) {
  const sentinels = trade.sentinels
    ? `Sentinels of the bar: ${trade.sentinels.split(",").map(words).join(", ")}.`
    : trade.is_on_candidate
      ? "No sentinel fired on the bar."
      : "The bar is no candidate of the screen.";
  const isKnown = trade.regime && trade.regime !== "off";
  return (
    `Decided at the close of the bar of ${moment(trade.decision_ts)} UTC. ${sentinels}` +
    (isKnown ? ` Regime: ${words(trade.regime)}.` : "")
  );
}

const opinion = (trade) => `Fusion score ${number(trade.fusion_score, 3)}. ${signalList(trade)}`;
