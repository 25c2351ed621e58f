// What the tables say of one trade, in rows and words.

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

// What the tables say of a trade in words: a column's text at its place.
const toldOf = (trade, reference) =>
  column(reference)[tradesOf(state.profile).indexOf(trade)];

function gatesOf(trade) {
  return of("trades").told.gates.map((one) => [
    words(one.gate),
    toldOf(trade, one.found),
    toldOf(trade, one.asks),
    toldOf(trade, one.passed) === 1,
  ]);
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
    `${words(trade.exit_reason)}: ${toldOf(trade, of("trades").told.why_left)} Held ${number(trade.bars_held)} bars, ` +
    `from ${moment(trade.entry_ts)} at ${price(trade.entry_price)} to ${moment(trade.exit_ts)} at ${price(trade.exit_price)}.${partial} ` +
    `At worst the price was ${number(trade.mae_r, 2)} R against it, at best ${number(trade.mfe_r, 2)} R for it.`
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

const opinion = (trade) =>
  `Fusion score ${number(trade.fusion_score, 3)}. ${signalList(trade)}`;
