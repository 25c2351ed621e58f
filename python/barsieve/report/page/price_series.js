// What is drawn: candles, confidence, and over them windows, trades, stops.

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

function mark(trade, c, isLarge) {
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

function tradeSeries(c) {
  const trades = tradesOf(state.profile).filter(
    (one) => one.exit_ts >= visible[0] && one.entry_ts <= visible[1],
  );
  const chosen = trades.filter((one) => one.trade_id === state.trade);
  const joined = (won) =>
    trades.filter((one) => one.net_pnl > 0 === won).flatMap(lineOf);
  const line = (name, data, colour, extra = {}) => ({
    name,
    type: "line",
    data,
    symbol: "none",
    z: 5,
    silent: true,
    lineStyle: { color: colour, width: trades.length > MOST_MARKS ? 1 : 1.5, ...extra },
    itemStyle: { color: colour },
  });
  return [
    line("won", joined(true), c.gain),
    line("lost", joined(false), c.loss),
    line(
      "stop",
      trades.length <= MOST_STOPS ? trades.flatMap(stopOf) : chosen.flatMap(stopOf),
      c.muted,
      { type: [4, 3], width: 1 },
    ),
    line("chosen", chosen.flatMap(lineOf), chosen[0]?.net_pnl > 0 ? c.gain : c.loss, {
      width: 4,
    }),
    {
      name: "entries and exits",
      type: "scatter",
      z: 6,
      data:
        trades.length <= MOST_MARKS
          ? trades.flatMap((one) => mark(one, c, one.trade_id === state.trade))
          : chosen.flatMap((one) => mark(one, c, true)),
    },
  ];
}

function confidenceSeries(c) {
  const place = { xAxisIndex: 1, yAxisIndex: 1, data: [] };
  const line = (name, color, width) => ({
    ...place,
    name,
    type: "line",
    symbol: "none",
    lineStyle: { color, width },
    itemStyle: { color },
  });
  return [
    line("confidence", c.muted, 1.2),
    { ...line("threshold", c.accent, 1.6), step: "end" },
    {
      ...place,
      name: "entry allowed",
      type: "scatter",
      symbolSize: 5,
      itemStyle: { color: c.accent },
    },
  ];
}

const candles = (c) => ({
  name: "price",
  type: "candlestick",
  data: [],
  barMaxWidth: 12,
  barMinWidth: 1,
  z: 3,
  itemStyle: {
    color: c.card,
    color0: c.faint,
    borderColor: c.muted,
    borderColor0: c.muted,
    borderWidth: 1,
  },
});
