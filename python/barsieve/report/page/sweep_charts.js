// The charts of a sweep: its terrain, its lines, its halves.

// More values than these are put into bins.
const MOST_LEVELS = 25;
const BINS = 12;
const THRESHOLD = "entry_threshold";
const SWEEP_FIGURES = {
  net_pnl: ["median net result, USD", (value) => money(value)],
  sharpe: ["median Sharpe ratio", (value) => number(value, 2, true)],
  profitable: ["share profitable", (value) => share(value)],
  trades: ["median trades", (value) => number(value, 0)],
};

const settingName = (name) =>
  words(name)
    .replace(/^weight /, "")
    .replace(/^entry /, "");
const decimalsOf = (values) =>
  Math.min(3, Math.max(...values.map((v) => (String(v).split(".")[1] ?? "").length)));
const sweepResult = (sweep, name) => column(sweep.results[name]);
const setting = (sweep, name) => column(sweep.settings[name]);
const hasTraded = (sweep) => Array.from(sweepResult(sweep, "trades"), (n) => n > 0);

function median(values) {
  const known = values.filter(isNumber).sort((a, b) => a - b);
  const half = known.length >> 1;
  if (!known.length) return null;
  return known.length % 2 ? known[half] : (known[half - 1] + known[half]) / 2;
}

// The rows and columns of the heat map: values, or bins where there are too many.
function levelsOf(values) {
  const distinct = [...new Set(values)].sort((a, b) => a - b);
  const decimals = decimalsOf(distinct);
  if (distinct.length <= MOST_LEVELS) {
    return {
      names: distinct.map((v) => number(v, decimals)),
      at: (v) => distinct.indexOf(v),
    };
  }
  const [low, high] = [distinct[0], distinct.at(-1)];
  const edge = (k) => low + ((high - low) * k) / BINS;
  return {
    names: Array.from(
      { length: BINS },
      (_, k) => `${number(edge(k), 2)}–${number(edge(k + 1), 2)}`,
    ),
    at: (v) => Math.min(BINS - 1, Math.floor(((v - low) / (high - low)) * BINS)),
  };
}

function cellValue(sweep, figure, members) {
  if (figure === "profitable") {
    const net = sweepResult(sweep, "net_pnl");
    return members.filter((k) => net[k] > 0).length / members.length;
  }
  const values = sweepResult(sweep, figure);
  return median(members.map((k) => values[k]));
}

// Cells of the heat map: [column, row, value, how many configurations].
function cellsOf(sweep, name, figure) {
  const [xs, ys] = [setting(sweep, name), setting(sweep, THRESHOLD)];
  const [across, up] = [levelsOf(Array.from(xs)), levelsOf(Array.from(ys))];
  const members = new Map();
  for (let k = 0; k < xs.length; k++) {
    const place = `${across.at(xs[k])} ${up.at(ys[k])}`;
    members.set(place, [...(members.get(place) ?? []), k]);
  }
  const cells = [...members].map(([place, own]) => [
    ...place.split(" ").map(Number),
    cellValue(sweep, figure, own),
    own.length,
  ]);
  return { across, up, cells };
}

// Nothing is the colour of the card, gain and loss to either side of it.
function scaleOf(values, isSigned) {
  const c = colours();
  const reach = Math.max(...values.filter(isNumber).map(Math.abs), 1e-9);
  return {
    min: isSigned ? -reach : 0,
    max: reach,
    inRange: { color: isSigned ? [c.loss, c.card, c.gain] : [c.card, c.accent] },
    textStyle: { color: c.muted },
    calculable: false,
    orient: "horizontal",
    left: "center",
    top: 0,
    itemWidth: 12,
    itemHeight: 120,
  };
}

function drawHeat(sweep) {
  const c = colours();
  const [name, figure] = [byId("sweep-setting").value, byId("sweep-figure").value];
  const [title, shown] = SWEEP_FIGURES[figure];
  const { across, up, cells } = cellsOf(sweep, name, figure);
  const isSigned = figure === "net_pnl" || figure === "sharpe";
  const label = `Entry threshold by ${settingName(name)} weight: ${title} of a cell's configurations`;
  byId("sweep-heat-caption").textContent = label;
  const known = cells.filter((cell) => isNumber(cell[2]));
  chart("sweep-heat", label, {
    grid: snug({ top: 40, bottom: 24, left: 22 }),
    tooltip: {
      formatter: ({ value: [x, y, value, count] }) =>
        tip(`threshold ${up.names[y]}, ${settingName(name)} ${across.names[x]}`, [
          [title, shown(value)],
          ["configurations", number(count)],
        ]),
    },
    xAxis: axis({
      type: "category",
      data: across.names,
      name: `${settingName(name)} weight`,
      nameLocation: "middle",
      nameGap: 26,
      splitLine: { show: false },
    }),
    yAxis: axis({
      type: "category",
      data: up.names,
      name: "threshold",
      nameLocation: "middle",
      nameGap: 40,
      splitLine: { show: false },
    }),
    visualMap: {
      ...scaleOf(
        known.map((cell) => cell[2]),
        isSigned,
      ),
      dimension: 2,
      formatter: shown,
      text: scaleEnds(known, isSigned, shown),
    },
    series: [
      {
        name: title,
        type: "heatmap",
        data: known,
        itemStyle: { borderColor: c.paper, borderWidth: 1 },
        emphasis: { itemStyle: { borderColor: c.ink } },
      },
    ],
  });
}

function scaleEnds(known, isSigned, shown) {
  const reach = Math.max(...known.map((cell) => Math.abs(cell[2])), 0);
  return [shown(reach), shown(isSigned ? -reach : 0)];
}

function drawLines(sweep) {
  const c = colours();
  const isNarrow = byId("sweep-lines").clientWidth < 620;
  const names = [...Object.keys(sweep.settings), "trades", "net_pnl", "sharpe"];
  const columns = names.map((name) =>
    column(sweep.settings[name] ?? sweep.results[name]),
  );
  const traded = hasTraded(sweep);
  const line = (k) => columns.map((values) => (isNumber(values[k]) ? values[k] : "-"));
  const drawn = traded.flatMap((is, k) => (is && k !== sweep.best ? [line(k)] : []));
  const titles = { net_pnl: "net, USD", sharpe: "Sharpe" };
  const net = names.indexOf("net_pnl");
  const series = (name, data, style) => ({
    name,
    type: "parallel",
    data,
    lineStyle: style,
  });
  chart(
    "sweep-lines",
    "Settings and results of every configuration that traded, as parallel coordinates",
    {
      legend: { data: ["best by net result"] },
      tooltip: { show: false },
      parallel: {
        left: isNarrow ? 24 : 46,
        right: isNarrow ? 84 : 50,
        top: 58,
        bottom: 24,
        layout: isNarrow ? "vertical" : "horizontal",
        parallelAxisDefault: {
          nameTextStyle: { color: c.ink },
          axisLine: { lineStyle: { color: c.faint } },
          axisTick: { lineStyle: { color: c.faint } },
          // Lines pass under the labels.
          axisLabel: { color: c.muted, backgroundColor: seeThrough(c.paper, 0.8) },
          areaSelectStyle: { color: c.accent, borderColor: c.accent, opacity: 0.2 },
        },
      },
      parallelAxis: names.map((name, dim) => ({
        dim,
        name: titles[name] ?? settingName(name),
        scale: true,
      })),
      visualMap: {
        ...scaleOf(Array.from(columns[net]), true),
        inRange: { color: [c.loss, c.faint, c.gain] },
        show: false,
        dimension: net,
        seriesIndex: 0,
      },
      color: [c.muted, c.ink],
      series: [
        series("configurations", drawn, { width: 1, opacity: 0.28 }),
        series("best by net result", [line(sweep.best)], {
          width: 2.5,
          color: c.ink,
          opacity: 1,
        }),
      ],
    },
    "canvas",
  );
}

function drawHalves(sweep) {
  const c = colours();
  const { figures } = sweep;
  const [first, second] = [
    sweepResult(sweep, "first_net"),
    sweepResult(sweep, "second_net"),
  ];
  const traded = hasTraded(sweep);
  const points = traded.flatMap((is, k) =>
    is && k !== sweep.winner ? [[first[k], second[k], k]] : [],
  );
  const winner = sweep.winner;
  const caption = `Net result of the months before ${figures.second_half_from}, by which one would have chosen, against those from then on`;
  byId("sweep-halves-caption").textContent = caption;
  const dots = (name, data, style) => ({ name, type: "scatter", data, ...style });
  const result = (title, nameGap) =>
    axis({
      name: title,
      nameLocation: "middle",
      nameGap,
      scale: true,
      axisLine: { show: true, onZero: true, lineStyle: { color: c.faint } },
      axisLabel: { color: c.muted, hideOverlap: true, formatter: (v) => number(v) },
    });
  chartOrNothing("sweep-halves", isNumber(winner), "No configuration traded.", () =>
    chart(
      "sweep-halves",
      `In sample against out of sample. ${caption}`,
      {
        grid: snug({ top: 34, bottom: 26, left: 24 }),
        legend: { data: ["configurations", "winner of the first half"] },
        tooltip: {
          formatter: ({ value: [before, after, k] }) =>
            tip(`threshold ${number(setting(sweep, THRESHOLD)[k], 2)}`, [
              ["first half", money(before)],
              ["second half", money(after)],
              ["trades", number(sweepResult(sweep, "trades")[k])],
            ]),
        },
        xAxis: result("first half, USD", 26),
        yAxis: result("second half, USD", 52),
        series: [
          dots("configurations", points, {
            symbolSize: 5,
            itemStyle: { color: c.accent, opacity: 0.45 },
          }),
          dots("winner of the first half", [[first[winner], second[winner], winner]], {
            symbol: "diamond",
            symbolSize: 15,
            itemStyle: { color: c.warn, borderColor: c.ink, borderWidth: 1 },
          }),
        ],
      },
      "canvas",
    ),
  );
}
