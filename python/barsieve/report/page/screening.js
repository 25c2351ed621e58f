// The funnel from bars to entries, its density over time, and the sentinels' worth.

const gateBars = (gates, name) => gates.find((one) => one.gate === name)?.bars ?? 0;

function drawSaved({ parity, candidates, gates }) {
  const [row] = parity;
  if (!row) return fill("saved");
  const all = gateBars(gates, "bars");
  const ratio = row.bars_visited
    ? `${number(row.bars / row.bars_visited, 1)} times fewer`
    : "none at all";
  return fill(
    "saved",
    tile(
      "Bars not stepped through",
      share(1 - row.bars_visited / row.bars),
      `${number(row.bars_visited)} of ${number(row.bars)} visited, ${ratio}`,
    ),
    tile(
      "Density of candidates",
      share(row.candidate_share, 2),
      `${number(candidates)} of ${number(all)} bars`,
    ),
    tile("Entries caught", share(row.recall), `recall of the screen '${row.screen}'`),
    tile(
      "Windows",
      number(of("screening").windows.windows),
      `${number(of("screening").windows.window_bars)} bars in them`,
    ),
  );
}

function drawFunnel({ gates, windows, candidates }) {
  const steps = [
    ["bars", gateBars(gates, "bars"), "every bar of the symbol"],
    [
      "eligible",
      gateBars(gates, "eligible"),
      "volatility, trends and cadence allow a trade",
    ],
    ["candidates", candidates, "some configuration of the profile may enter"],
    [
      "bars in windows",
      windows.window_bars,
      `${number(windows.windows)} windows: candidates and the bars after them`,
    ],
    ["entries", gateBars(gates, "entered"), "trades of the full replay"],
  ];
  const c = colours();
  const all = steps[0][1] || 1;
  chart(
    "funnel-chart",
    `From bars to entries: ${steps.map(([name, count]) => `${name} ${number(count)}`).join(", ")}`,
    {
      grid: snug({ right: 140, top: 6 }),
      tooltip: {
        formatter: (one) =>
          tip(one.name, [
            ["bars", number(steps[one.dataIndex][1])],
            ["of all", share(steps[one.dataIndex][1] / all, 2)],
            [steps[one.dataIndex][2], ""],
          ]),
      },
      xAxis: axis({
        type: "log",
        min: 1,
        max: all,
        axisLabel: { show: false },
        splitLine: { show: false },
        axisLine: { show: false },
      }),
      yAxis: axis({
        type: "category",
        inverse: true,
        data: steps.map(([name]) => name),
        axisLine: { show: false, onZero: false },
        axisLabel: { color: c.ink },
      }),
      series: [
        {
          name: "bars",
          type: "bar",
          barWidth: "62%",
          data: steps.map(([name, count]) => ({
            value: Math.max(count, 1),
            itemStyle: {
              color: name === "entries" ? c.accent : seeThrough(c.accent, 0.45),
              borderRadius: [0, 3, 3, 0],
            },
          })),
          label: {
            show: true,
            position: "right",
            color: c.ink,
            formatter: (one) =>
              `${number(steps[one.dataIndex][1])}  ·  ${share(steps[one.dataIndex][1] / all, 2)}`,
          },
        },
      ],
    },
  );
}

function drawGates({ gates }) {
  fillTable(
    "gates",
    [
      ["Gate", (row) => words(row.gate)],
      ["Bars left", (row) => number(row.bars), true],
      ["Of all", (row) => share(row.share_of_bars, 2), true],
      ["Let through", (row) => share(row.share_passed), true],
      [
        "It asks",
        (row) =>
          row.asks + (row.blocks_every_trade ? " — this gate blocks every trade" : ""),
      ],
    ],
    gates,
    (row) => ({ class: row.blocks_every_trade ? "blocks" : null }),
  );
}

function drawDensity({ months }) {
  const c = colours();
  chart(
    "density-chart",
    "Share of each month's bars that are candidates, and entries of the month",
    {
      grid: snug({ right: 0, top: 30 }),
      legend: { data: ["candidates", "entries"] },
      tooltip: {
        trigger: "axis",
        axisPointer: { type: "shadow", shadowStyle: { color: c.shade } },
        formatter: ([one]) => {
          const row = months[one.dataIndex];
          return tip(day(row.month).slice(0, 7), [
            ["candidates", `${number(row.candidates)} of ${number(row.bars)} bars`],
            ["share", share(row.candidates / row.bars, 2)],
            ["entries", number(row.entries)],
          ]);
        },
      },
      xAxis: axis({
        type: "category",
        data: months.map((row) => day(row.month).slice(0, 7)),
        splitLine: { show: false },
      }),
      yAxis: [
        axis({
          splitNumber: 3,
          axisLabel: { color: c.muted, formatter: (value) => share(value, 0) },
        }),
        axis({
          splitNumber: 3,
          minInterval: 1,
          splitLine: { show: false },
          position: "right",
        }),
      ],
      series: [
        {
          name: "candidates",
          type: "bar",
          barCategoryGap: "25%",
          data: months.map((row) => row.candidates / row.bars),
          itemStyle: { color: seeThrough(c.accent, 0.45) },
        },
        {
          name: "entries",
          type: "line",
          yAxisIndex: 1,
          symbolSize: 4,
          data: months.map((row) => row.entries),
          lineStyle: { color: c.warn, width: 1.5 },
          itemStyle: { color: c.warn },
        },
      ],
    },
  );
}

function drawSentinels({ sentinels }) {
  const c = colours();
  chartOrNothing("sentinels-chart", sentinels.length, "No sentinel fired.", () => {
    const bars = (name, key, colour) => ({
      name,
      type: "bar",
      data: sentinels.map((row) => row[key] ?? 0),
      itemStyle: { color: colour, borderRadius: [0, 3, 3, 0] },
    });
    chart("sentinels-chart", "Share of bars and share of entries, by sentinel", {
      grid: snug({ right: 24, top: 28 }),
      legend: { data: ["of bars", "of entries"] },
      tooltip: {
        trigger: "axis",
        axisPointer: { type: "shadow", shadowStyle: { color: c.shade } },
        formatter: (parameters) =>
          tip(
            parameters[0].name,
            parameters.map((one) => [one.seriesName, share(one.value)]),
          ),
      },
      xAxis: axis({
        splitNumber: 4,
        axisLabel: { color: c.muted, formatter: (value) => share(value, 0) },
      }),
      yAxis: axis({
        type: "category",
        inverse: true,
        data: sentinels.map((row) => words(row.sentinel)),
        axisLabel: { color: c.ink },
      }),
      series: [
        bars("of bars", "share_of_bars", seeThrough(c.muted, 0.6)),
        bars("of entries", "share_of_entries", c.accent),
      ],
    });
  });
  fillTable(
    "sentinels",
    [
      ["Sentinel", (row) => words(row.sentinel)],
      ["Fired", (row) => number(row.fires), true],
      ["Of bars", (row) => share(row.share_of_bars), true],
      ["Entries with", (row) => number(row.entries_with), true],
      ["without", (row) => number(row.entries_without), true],
      [
        "Lift",
        (row) =>
          row.share_of_bars ? number(row.share_of_entries / row.share_of_bars, 2) : "–",
        true,
      ],
      ["Mean R with", (row) => number(row.mean_r_with, 2, true), true],
      ["without", (row) => number(row.mean_r_without, 2, true), true],
      ["Won with", (row) => share(row.win_rate_with), true],
      ["without", (row) => share(row.win_rate_without), true],
    ],
    sentinels,
  );
}

section("screening", () => {
  const own = of("screening");
  drawSaved(own);
  drawFunnel(own);
  drawGates(own);
  drawDensity(own);
  drawSentinels(own);
});
