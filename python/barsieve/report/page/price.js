// Candles, trades and confidence on one time axis; how the reader moves along it.

const SPANS = [
  ["All", null],
  ["1 y", 365],
  ["3 m", 91],
  ["1 m", 30],
  ["1 w", 7],
  ["1 d", 1],
];

let shownProfile = null;
let isScheduled = false;

function priceTip(blocks, level) {
  const { decimals } = report.sections.price.symbols[of("price").symbol];
  return (parameters) => {
    const candle = parameters.find((one) => one.seriesName === "price");
    const block = candle && blocks.find((one) => one.start * 1000 === candle.value[0]);
    if (!block) return "";
    const prices = ["open", "high", "low", "close"].map((name) => [
      name,
      number(block[name], decimals),
    ]);
    return tip(`${moment(block.start)} UTC, ${level[1]}`, [
      ...prices,
      ["confidence", number(block.confidence, 3)],
      ["threshold", number(block.threshold, 3)],
    ]);
  };
}

function refresh() {
  isScheduled = false;
  const drawn = charts.get("price-chart");
  // Asked for in a frame before the last choice.
  if (!drawn || absenceOf("price") !== null) return;
  const { level, blocks } = inView();
  const times = (name) =>
    blocks.map((block) => [
      block.start * 1000,
      Number.isNaN(block[name]) ? null : block[name],
    ]);
  byId("level").textContent =
    `${moment(visible[0])} to ${moment(visible[1])} UTC · candles of ${level[1]}` +
    (level[0] > 1 ? " · highest confidence, lowest threshold of each" : "");
  drawn.setOption({
    tooltip: { formatter: priceTip(blocks, level) },
    series: [
      {
        name: "price",
        data: blocks.map((one) => [
          one.start * 1000,
          one.open,
          one.close,
          one.low,
          one.high,
        ]),
        markArea: { data: windowsInView() },
      },
      ...tradesInView(),
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
  const least = report.sections.price.least_span;
  const width = Math.min(Math.max(to - from, least), last - first);
  const start = Math.min(Math.max(from, first), last - width);
  visible = [start, start + width];
  charts.get("price-chart")?.dispatchAction({
    type: "dataZoom",
    startValue: visible[0] * 1000,
    endValue: visible[1] * 1000,
  });
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
    ArrowLeft: () => moveBy(-0.2),
    ArrowRight: () => moveBy(0.2),
    Home: () => show(...extent()),
    "+": () => zoomBy(0.6),
    "=": () => zoomBy(0.6),
    "-": () => zoomBy(1.6),
    n: () => stepTrade(1),
    p: () => stepTrade(-1),
  };
  if (event.ctrlKey || event.metaKey || event.altKey || !acts[event.key]) return;
  event.preventDefault();
  acts[event.key]();
}

// The wheel zooms where the reader has put the focus; else it scrolls the page.
function listenToWheel(isFocused) {
  charts.get("price-chart")?.setOption({
    dataZoom: [{ id: "inside", zoomOnMouseWheel: isFocused ? true : "ctrl" }],
  });
}

function drawSpans() {
  fill(
    "spans",
    ...SPANS.map(([name, days]) =>
      el(
        "button",
        {
          type: "button",
          onclick: () => {
            const [first, last] = extent();
            const middle =
              days && visible[1] < last - HOUR
                ? (visible[0] + visible[1]) / 2 + (days * 24 * HOUR) / 2
                : last;
            show(days ? middle - days * 24 * HOUR : first, middle);
          },
        },
        name,
      ),
    ),
  );
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
  const { label, option, renderer } = column(of("price").chart)["price-chart"];
  const { series, ...frame } = bound(option);
  const whole = { ...frame, series: [...series, ...ribbonOf()] };
  const drawn = chart("price-chart", label, whole, renderer);
  if (isNew) {
    drawn.on("datazoom", followZoom);
    drawn.on(
      "click",
      (event) => event.data?.trade && pickTrade(event.data.trade, false),
    );
  }
  if (document.activeElement === element) listenToWheel(true);
  drawSpans();
  fill("ribbon-legend", ...ribbonLegend());
  show(...visible);
  drawTrade();
});
