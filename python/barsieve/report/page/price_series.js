// What is drawn of the span in view: windows, trades, stops.

// More trades than this would hide the price.
const MOST_MARKS = 700;
const MOST_STOPS = 160;

function windowsInView() {
  const { windows } = of("price");
  const [start, finish] = [column(windows.start), column(windows.finish)];
  const areas = [];
  for (let k = 0; k < start.length; k++) {
    if (finish[k] >= visible[0] && start[k] <= visible[1]) {
      areas.push([{ xAxis: start[k] * 1000 }, { xAxis: finish[k] * 1000 }]);
    }
  }
  return areas;
}

const lineOf = (trade) => [
  [trade.entry_ts * 1000, trade.entry_price],
  [trade.exit_ts * 1000, trade.exit_price],
  [trade.exit_ts * 1000, null],
];

// A stop holds from its first bar to that of the next, the last one to the exit's close.
function stopOf(trade) {
  const path = stopsOf(trade.trade_id);
  const end = (trade.exit_ts + HOUR) * 1000;
  const steps = path.flatMap((one, k) => [
    [one.at * 1000, one.stop],
    [k + 1 < path.length ? path[k + 1].at * 1000 : end, one.stop],
  ]);
  return [...steps, [end, null]];
}

function mark(trade, isLarge) {
  const c = colours();
  const colour = trade.net_pnl > 0 ? c.gain : c.loss;
  const size = isLarge ? 13 : 8;
  return [
    {
      value: [trade.entry_ts * 1000, trade.entry_price],
      trade: trade.trade_id,
      symbol: "triangle",
      symbolSize: size,
      symbolRotate: trade.side === "long" ? 0 : 180,
      itemStyle: { color: colour },
    },
    {
      value: [trade.exit_ts * 1000, trade.exit_price],
      trade: trade.trade_id,
      symbol: "diamond",
      symbolSize: size,
      itemStyle: { color: c.card, borderColor: colour, borderWidth: 1.5 },
    },
  ];
}

// The data of the series that barsieve/report/sections/price.py describes.
function tradesInView() {
  const trades = tradesOf(state.profile).filter(
    (one) => one.exit_ts >= visible[0] && one.entry_ts <= visible[1],
  );
  const chosen = trades.filter((one) => one.trade_id === state.trade);
  const isFew = trades.length <= MOST_MARKS;
  const joined = (won) => ({
    data: trades.filter((one) => one.net_pnl > 0 === won).flatMap(lineOf),
    lineStyle: { width: isFew ? 1.5 : 1 },
  });
  const color = chosen[0]?.net_pnl > 0 ? colours().gain : colours().loss;
  const withStops = trades.length <= MOST_STOPS ? trades : chosen;
  const marked = isFew ? trades : chosen;
  return [
    { name: "won", ...joined(true) },
    { name: "lost", ...joined(false) },
    { name: "stop", data: withStops.flatMap(stopOf) },
    { name: "chosen", data: chosen.flatMap(lineOf), lineStyle: { color } },
    {
      name: "entries and exits",
      data: marked.flatMap((one) => mark(one, !isFew || one.trade_id === state.trade)),
    },
  ];
}
