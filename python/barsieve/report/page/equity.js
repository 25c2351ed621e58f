// Both replays' equity on one scale, the drawdown under it, months as a heat table.

const MONTHS = [
  "Jan",
  "Feb",
  "Mar",
  "Apr",
  "May",
  "Jun",
  "Jul",
  "Aug",
  "Sep",
  "Oct",
  "Nov",
  "Dec",
];
const STRONG_MONTH = 0.1;

const curveOf = (at, values) =>
  Array.from(at, (seconds, k) => [seconds * 1000, values[k]]);

function equityTip(parameters) {
  return tip(
    `${moment(parameters[0].value[0] / 1000)} UTC`,
    parameters.map((one) => [
      one.seriesName,
      one.seriesName === "drawdown" ? share(one.value[1], 2) : number(one.value[1], 2),
    ]),
  );
}

function drawEquity() {
  const own = of("equity");
  const at = column(own.at);
  const [full, focused] = [column(own.full_replay), column(own.focused_replay)];
  const falls = column(own.falls);
  const c = colours();
  const isSame = full.every((value, k) => Object.is(value, focused[k]));
  byId("equity-note").textContent =
    (isSame
      ? "The focused replay's equity is that of the full one at every bar."
      : "The focused replay's equity differs from the full one's: its screen is lossy.") +
    " Marked to market at each close, costs included.";
  const line = (name, values, colour, extra = {}) => ({
    name,
    type: "line",
    data: curveOf(at, values),
    symbol: "none",
    sampling: "minmax",
    lineStyle: { color: colour, width: 1.8, ...extra },
    itemStyle: { color: colour },
  });
  chart(
    "equity-chart",
    `Equity of ${profile().profile} from ${number(own.start_balance)}, full and focused replay, ` +
      `to ${number(full.at(-1), 2)}; deepest drawdown ${share(-own.max_drawdown)}`,
    {
      grid: [
        { left: 64, right: 20, top: 30, height: "54%" },
        { left: 64, right: 20, top: "70%", height: "16%" },
      ],
      xAxis: [timeAxis({ show: false }), timeAxis({ gridIndex: 1, axisLabel: {} })],
      yAxis: [
        axis({ scale: true }),
        axis({
          gridIndex: 1,
          splitNumber: 2,
          max: 0,
          axisLabel: { color: c.muted, formatter: (value) => share(value, 0) },
        }),
      ],
      axisPointer: { link: [{ xAxisIndex: "all" }], label: { show: false } },
      legend: { data: ["full replay", "focused replay", "drawdown"] },
      tooltip: { trigger: "axis", formatter: equityTip },
      dataZoom: [
        { type: "inside", zoomOnMouseWheel: "ctrl", preventDefaultMouseMove: false },
        slider(c),
      ].map((zoom) => ({ ...zoom, xAxisIndex: [0, 1], filterMode: "none" })),
      series: [
        // The full replay is a broad band, the focused one a thin line that should lie on it.
        {
          ...line("full replay", full, seeThrough(c.accent, 0.4), {
            width: 5,
            cap: "round",
            join: "round",
          }),
          markLine: {
            silent: true,
            symbol: "none",
            label: { show: false },
            lineStyle: { color: c.muted, type: "dotted" },
            data: [{ yAxis: own.start_balance }],
          },
        },
        line("focused replay", focused, c.ink, { width: 1.2 }),
        {
          ...line("drawdown", falls, c.loss, { width: 1 }),
          xAxisIndex: 1,
          yAxisIndex: 1,
          areaStyle: { color: seeThrough(c.loss, 0.18) },
        },
      ],
    },
    "canvas",
  );
}

function heatCell(value) {
  const cell = el("td", { class: "n" }, share(value, 1, true));
  if (isNumber(value) && value !== 0) {
    const strength = Math.min(Math.abs(value) / STRONG_MONTH, 1) * 45 + 5;
    cell.style.backgroundColor = `color-mix(in srgb, var(--${value > 0 ? "gain" : "loss"}) ${strength.toFixed(0)}%, transparent)`;
  }
  return cell;
}

function drawMonths() {
  const { months } = of("equity");
  const years = [...new Set(months.map((one) => one.year))];
  const rows = years.map((year) => {
    const own = months.filter((one) => one.year === year);
    const whole = own.reduce((product, one) => product * (1 + one.return_share), 1) - 1;
    return el(
      "tr",
      {},
      el("th", { scope: "row" }, String(year)),
      ...MONTHS.map((_, k) => {
        const found = own.find((one) => one.month === k + 1);
        return found ? heatCell(found.return_share) : el("td", { class: "n" }, "");
      }),
      el("td", { class: `n sum ${tone(whole)}` }, share(whole, 1, true)),
    );
  });
  fill(
    "months",
    el(
      "thead",
      {},
      el(
        "tr",
        {},
        el("th", { scope: "col" }, "Year"),
        ...MONTHS.map((name) => el("th", { scope: "col", class: "n" }, name)),
        el("th", { scope: "col", class: "n" }, "Whole"),
      ),
    ),
    el("tbody", {}, ...rows),
  );
}

section("equity", () => {
  drawEquity();
  drawMonths();
});
