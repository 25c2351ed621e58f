// Candles at the level of detail that the width can show, windows, trades, confidence.

const HOUR = 3600;
const LEVELS = [[1, "1 h"], [4, "4 h"], [12, "12 h"], [24, "1 d"], [72, "3 d"], [168, "1 w"], [672, "4 w"]];
const SPANS = [["All", null], ["1 y", 365], ["3 m", 91], ["1 m", 30], ["1 w", 7], ["1 d", 1]];
// A candle and its gap need so many pixels; more trades than this would hide the price.
const CANDLE_PIXELS = 5;
const MOST_MARKS = 700;
const MOST_STOPS = 160;

const ladders = new Map();
let visible = null;
let shownProfile = null;
let isScheduled = false;

// One rung of the ladder: bars of the profile's symbol merged into blocks by the clock.
function merged(hoursPerBlock) {
  const own = of("price");
  const symbol = report.sections.price.symbols[own.symbol];
  const [at, open, high, low, close] = ["at", "open", "high", "low", "close"].map((name) => column(symbol[name]));
  const [confidence, threshold, status] = [own.confidence, own.threshold, own.state].map(column);
  const blocks = [];
  let block = null;
  for (let k = 0; k < at.length; k++) {
    const start = Math.floor(at[k] / HOUR / hoursPerBlock) * hoursPerBlock * HOUR;
    if (block === null || start !== block.start) {
      block = { start, open: open[k], high: high[k], low: low[k], confidence: NaN, threshold: threshold[k], entry: NaN };
      blocks.push(block);
    }
    block.close = close[k];
    if (high[k] > block.high) block.high = high[k];
    if (low[k] < block.low) block.low = low[k];
    if (!(block.confidence >= confidence[k]) && confidence[k] === confidence[k]) block.confidence = confidence[k];
    if (threshold[k] < block.threshold) block.threshold = threshold[k];
    if (status[k] === 2 && !(block.entry >= confidence[k])) block.entry = confidence[k];
  }
  return blocks;
}

function ladder() {
  if (!ladders.has(state.profile)) ladders.set(state.profile, new Map());
  return ladders.get(state.profile);
}

function blocksOf(hoursPerBlock) {
  if (!ladder().has(hoursPerBlock)) ladder().set(hoursPerBlock, merged(hoursPerBlock));
  return ladder().get(hoursPerBlock);
}

function extent() {
  const at = column(report.sections.price.symbols[of("price").symbol].at);
  return at.length ? [at[0], at[at.length - 1] + HOUR] : [0, HOUR];
}

// The first block at or after a moment.
function place(blocks, moment) {
  let [low, high] = [0, blocks.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (blocks[middle].start < moment) low = middle + 1;
    else high = middle;
  }
  return low;
}

function inView() {
  const [from, to] = visible;
  const room = Math.max(60, byId("price-chart").clientWidth / CANDLE_PIXELS);
  const level = LEVELS.find(([count]) => (to - from) / HOUR / count <= room) ?? LEVELS.at(-1);
  const blocks = blocksOf(level[0]);
  const first = Math.max(0, place(blocks, from) - 1);
  return { level, blocks: blocks.slice(first, place(blocks, to) + 1) };
}

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
  [trade.entry_ts * 1000, trade.entry_price], [trade.exit_ts * 1000, trade.exit_price], [trade.exit_ts * 1000, null],
];

function stopOf(trade) {
  const direction = trade.side === "long" ? 1 : -1;
  const first = trade.entry_price - direction * trade.risk_distance;
  const end = (trade.exit_ts + HOUR) * 1000;
  const steps = [[trade.entry_ts * 1000, first]];
  if (isNumber(trade.partial_ts)) {
    // Break-even holds from the bar after the one in which the partial filled.
    const even = (trade.partial_ts + HOUR) * 1000;
    if (even < end) steps.push([even, first], [even, trade.entry_price], [end, trade.entry_price]);
    else steps.push([end, first]);
  } else steps.push([end, first]);
  return [...steps, [end, null]];
}

function mark(trade, c, isLarge) {
  const colour = trade.net_pnl > 0 ? c.gain : c.loss;
  const size = isLarge ? 13 : 8;
  return [
    {
      value: [trade.entry_ts * 1000, trade.entry_price], trade: trade.trade_id, symbol: "triangle", symbolSize: size,
      symbolRotate: trade.side === "long" ? 0 : 180, itemStyle: { color: colour },
    },
    {
      value: [trade.exit_ts * 1000, trade.exit_price], trade: trade.trade_id, symbol: "diamond", symbolSize: size,
      itemStyle: { color: c.card, borderColor: colour, borderWidth: 1.5 },
    },
  ];
}

function tradeSeries(c) {
  const trades = tradesOf(state.profile).filter((one) => one.exit_ts >= visible[0] && one.entry_ts <= visible[1]);
  const chosen = trades.filter((one) => one.trade_id === state.trade);
  const joined = (won) => trades.filter((one) => one.net_pnl > 0 === won).flatMap(lineOf);
  const line = (name, data, colour, extra = {}) => ({
    name, type: "line", data, symbol: "none", z: 5, silent: true, lineStyle: { color: colour, width: trades.length > MOST_MARKS ? 1 : 1.5, ...extra }, itemStyle: { color: colour },
  });
  return [
    line("won", joined(true), c.gain),
    line("lost", joined(false), c.loss),
    line("stop", trades.length <= MOST_STOPS ? trades.flatMap(stopOf) : chosen.flatMap(stopOf), c.muted, { type: [4, 3], width: 1 }),
    line("chosen", chosen.flatMap(lineOf), chosen[0]?.net_pnl > 0 ? c.gain : c.loss, { width: 4 }),
    {
      name: "entries and exits", type: "scatter", z: 6,
      data: trades.length <= MOST_MARKS ? trades.flatMap((one) => mark(one, c, one.trade_id === state.trade)) : chosen.flatMap((one) => mark(one, c, true)),
    },
  ];
}

function priceTip(blocks, level) {
  const { decimals } = report.sections.price.symbols[of("price").symbol];
  return (parameters) => {
    const candle = parameters.find((one) => one.seriesName === "price");
    const block = candle && blocks.find((one) => one.start * 1000 === candle.value[0]);
    if (!block) return "";
    const prices = ["open", "high", "low", "close"].map((name) => [name, number(block[name], decimals)]);
    return tip(`${moment(block.start)} UTC, ${level[1]}`, [...prices,
      ["confidence", number(block.confidence, 3)], ["threshold", number(block.threshold, 3)]]);
  };
}

function refresh() {
  isScheduled = false;
  const drawn = charts.get("price-chart");
  if (!drawn) return;
  const c = colours();
  const { level, blocks } = inView();
  const times = (name) => blocks.map((block) => [block.start * 1000, Number.isNaN(block[name]) ? null : block[name]]);
  byId("level").textContent = `${moment(visible[0])} to ${moment(visible[1])} UTC · candles of ${level[1]}` +
    (level[0] > 1 ? " · highest confidence, lowest threshold of each" : "");
  drawn.setOption({
    tooltip: { formatter: priceTip(blocks, level) },
    series: [
      {
        name: "price", data: blocks.map((one) => [one.start * 1000, one.open, one.close, one.low, one.high]),
        markArea: { silent: true, itemStyle: { color: c.shade }, data: windowsInView() },
      },
      ...tradeSeries(c),
      { name: "confidence", data: times("confidence") },
      { name: "threshold", data: times("threshold") },
      { name: "entry allowed", data: times("entry").filter((one) => one[1] !== null) },
    ],
  });
}

function schedule() {
  if (!isScheduled) requestAnimationFrame(refresh);
  isScheduled = true;
}

function show(from, to) {
  const [first, last] = extent();
  const width = Math.min(Math.max(to - from, 12 * HOUR), last - first);
  const start = Math.min(Math.max(from, first), last - width);
  visible = [start, start + width];
  charts.get("price-chart")?.dispatchAction({ type: "dataZoom", startValue: visible[0] * 1000, endValue: visible[1] * 1000 });
  schedule();
}

function followZoom() {
  const zoom = charts.get("price-chart").getOption().dataZoom[0];
  visible = [zoom.startValue / 1000, zoom.endValue / 1000];
  schedule();
}

function zoomBy(factor) {
  const [from, to] = visible;
  const half = ((to - from) * factor) / 2;
  show((from + to) / 2 - half, (from + to) / 2 + half);
}

function moveBy(part) {
  const step = (visible[1] - visible[0]) * part;
  show(visible[0] + step, visible[1] + step);
}

function onKey(event) {
  const acts = {
    ArrowLeft: () => moveBy(-0.2), ArrowRight: () => moveBy(0.2), Home: () => show(...extent()),
    "+": () => zoomBy(0.6), "=": () => zoomBy(0.6), "-": () => zoomBy(1.6),
    n: () => stepTrade(1), p: () => stepTrade(-1),
  };
  if (event.ctrlKey || event.metaKey || event.altKey || !acts[event.key]) return;
  event.preventDefault();
  acts[event.key]();
}

// The wheel zooms where the reader has put the focus; else it scrolls the page.
function listenToWheel(isFocused) {
  charts.get("price-chart")?.setOption({ dataZoom: [{ id: "inside", zoomOnMouseWheel: isFocused ? true : "ctrl" }] });
}

function priceOption(c) {
  const [first, last] = extent();
  const ribbon = ribbonOf();
  const grids = [{ left: 64, right: 20, top: 30, height: "57%" }, { left: 64, right: 20, top: "72%", height: "15%" }];
  const axes = [timeAxis({ show: false }), timeAxis({ gridIndex: 1 })];
  const heights = [axis({ scale: true, position: "left" }), axis({ gridIndex: 1, scale: true, splitNumber: 2, name: "confidence", nameGap: 6, nameTextStyle: { color: c.muted, align: "left" } })];
  if (ribbon) {
    grids.push({ left: 64, right: 20, top: "66.5%", height: 8 });
    axes.push(timeAxis({ gridIndex: 2, show: false }));
    heights.push({ gridIndex: 2, show: false, min: 0, max: 1 });
  }
  for (const one of axes) Object.assign(one, { min: first * 1000, max: last * 1000 });
  const line = (name, colour, extra) => ({
    name, type: "line", data: [], xAxisIndex: 1, yAxisIndex: 1, symbol: "none", lineStyle: { color: colour, width: 1.2, ...extra }, itemStyle: { color: colour },
  });
  return {
    grid: grids, xAxis: axes, yAxis: heights,
    axisPointer: { link: [{ xAxisIndex: "all" }], lineStyle: { color: c.muted }, label: { show: false } },
    legend: { data: ["won", "lost", "stop", "confidence", "threshold", "entry allowed"] },
    tooltip: { trigger: "axis", axisPointer: { type: "line" } },
    dataZoom: [
      { id: "inside", type: "inside", xAxisIndex: axes.map((_, k) => k), filterMode: "none", zoomOnMouseWheel: "ctrl", moveOnMouseWheel: false, preventDefaultMouseMove: false, minValueSpan: 12 * HOUR * 1000 },
      {
        id: "slider", type: "slider", xAxisIndex: axes.map((_, k) => k), filterMode: "none", height: 18, bottom: 6, showDataShadow: false,
        borderColor: c.line, fillerColor: seeThrough(c.accent, 0.14), handleStyle: { color: c.card, borderColor: c.muted },
        moveHandleSize: 0, textStyle: { color: c.muted, fontSize: 10 }, labelFormatter: (value) => day(value / 1000), minValueSpan: 12 * HOUR * 1000,
      },
    ],
    series: [
      {
        name: "price", type: "candlestick", data: [], barMaxWidth: 12, barMinWidth: 1, z: 3,
        itemStyle: { color: c.card, color0: c.faint, borderColor: c.muted, borderColor0: c.muted, borderWidth: 1 },
      },
      ...tradeSeries(c),
      line("confidence", c.muted, {}),
      { ...line("threshold", c.accent, { width: 1.6 }), step: "end" },
      { name: "entry allowed", type: "scatter", data: [], xAxisIndex: 1, yAxisIndex: 1, symbolSize: 5, itemStyle: { color: c.accent } },
      ...(ribbon ? [ribbon] : []),
    ],
  };
}

function drawSpans() {
  fill("spans", ...SPANS.map(([name, days]) => el("button", { type: "button", onclick: () => {
    const [first, last] = extent();
    const middle = days && visible[1] < last - HOUR ? (visible[0] + visible[1]) / 2 + (days * 24 * HOUR) / 2 : last;
    show(days ? middle - days * 24 * HOUR : first, middle);
  } }, name)));
}

function bindPrice() {
  const element = byId("price-chart");
  element.addEventListener("keydown", onKey);
  element.addEventListener("focusin", () => listenToWheel(true));
  element.addEventListener("focusout", () => listenToWheel(false));
  element.addEventListener("pointerdown", () => element.focus({ preventScroll: true }));
}

section("price", () => {
  const element = byId("price-chart");
  const isNew = !charts.has("price-chart");
  const before = shownProfile === state.profile ? visible : null;
  if (isNew) bindPrice();
  shownProfile = state.profile;
  visible = before ?? extent();
  const trades = tradesOf(state.profile);
  const drawn = chart("price-chart", `Price of ${profile().symbol} with ${number(trades.length)} trades of ${profile().profile}, ` +
    "candidate windows, and confidence against the threshold in force", priceOption(colours()), "canvas");
  if (isNew) {
    drawn.on("datazoom", followZoom);
    drawn.on("click", (event) => event.data?.trade && pickTrade(event.data.trade, false));
  }
  if (document.activeElement === element) listenToWheel(true);
  drawSpans();
  show(...visible);
  drawTrade();
});
