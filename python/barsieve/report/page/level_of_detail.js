// Bars merged to the level of detail that the width can show.

const HOUR = 3600;
const LEVELS = [
  [1, "1 h"],
  [4, "4 h"],
  [12, "12 h"],
  [24, "1 d"],
  [72, "3 d"],
  [168, "1 w"],
  [672, "4 w"],
];
// A candle and its gap need so many pixels.
const CANDLE_PIXELS = 5;

// By profile, then by hours per block.
const ladders = new Map();
// The span in view, Unix seconds.
let visible = null;

// One rung of the ladder: bars of the profile's symbol merged into blocks by the clock.
function merged(hoursPerBlock) {
  const own = of("price");
  const symbol = report.sections.price.symbols[own.symbol];
  const [at, open, high, low, close] = ["at", "open", "high", "low", "close"].map(
    (name) => column(symbol[name]),
  );
  const [confidence, threshold, status] = [
    own.confidence,
    own.threshold,
    own.state,
  ].map(column);
  const blocks = [];
  let block = null;
  for (let k = 0; k < at.length; k++) {
    const start = Math.floor(at[k] / HOUR / hoursPerBlock) * hoursPerBlock * HOUR;
    if (block === null || start !== block.start) {
      block = {
        start,
        open: open[k],
        high: high[k],
        low: low[k],
        confidence: NaN,
        threshold: threshold[k],
        entry: NaN,
      };
      blocks.push(block);
    }
    block.close = close[k];
    if (high[k] > block.high) block.high = high[k];
    if (low[k] < block.low) block.low = low[k];
    if (!(block.confidence >= confidence[k]) && confidence[k] === confidence[k])
      block.confidence = confidence[k];
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
  const level =
    LEVELS.find(([count]) => (to - from) / HOUR / count <= room) ?? LEVELS.at(-1);
  const blocks = blocksOf(level[0]);
  const first = Math.max(0, place(blocks, from) - 1);
  return { level, blocks: blocks.slice(first, place(blocks, to) + 1) };
}
