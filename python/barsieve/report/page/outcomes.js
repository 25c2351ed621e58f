// Distributions of the trades' results, and the bridge from gross to net.

const NO_TRADES = "No trade to show.";

function stacked(id, label, names, rows, extra = {}) {
  const c = colours();
  const bars = (name, key, colour, position) => ({
    name,
    type: "bar",
    stack: "trades",
    barCategoryGap: "22%",
    data: rows.map((row) => row[key]),
    itemStyle: { color: colour, borderRadius: position },
  });
  const categories = axis({
    type: "category",
    data: names,
    splitLine: { show: false },
    axisLabel: { color: c.muted, hideOverlap: true, ...extra.labels },
  });
  const counts = axis({ minInterval: 1, splitNumber: 3 });
  const told = rows
    .map((row, k) => `${names[k]}: ${row.wins} won, ${row.losses} lost`)
    .join("; ");
  return chart(id, `${label}. ${told}`, {
    grid: snug({ top: 28 }),
    legend: { data: ["won", "lost"] },
    tooltip: {
      trigger: "axis",
      axisPointer: { type: "shadow", shadowStyle: { color: c.shade } },
      formatter: (parameters) =>
        tip(
          extra.title ? extra.title(rows[parameters[0].dataIndex]) : parameters[0].name,
          parameters.map((one) => [one.seriesName, number(one.value)]),
        ),
    },
    ...(extra.isAcross
      ? { xAxis: counts, yAxis: { ...categories, inverse: true } }
      : { xAxis: categories, yAxis: counts }),
    series: [bars("won", "wins", c.gain, 0), bars("lost", "losses", c.loss, 0)],
  });
}

function drawMultiples({ multiples }) {
  const width = report.sections.outcomes.r_bin;
  chartOrNothing("multiples-chart", multiples.length, NO_TRADES, () => {
    const [first, last] = [multiples[0].bin, multiples.at(-1).bin];
    const rows = Array.from(
      { length: last - first + 1 },
      (_, k) =>
        multiples.find((one) => one.bin === first + k) ?? {
          bin: first + k,
          wins: 0,
          losses: 0,
        },
    );
    stacked(
      "multiples-chart",
      "Distribution of trade results in R",
      rows.map((row) => number(row.bin * width, 2)),
      rows,
      {
        title: (row) =>
          `${number(row.bin * width, 2)} to ${number((row.bin + 1) * width, 2)} R`,
      },
    );
  });
}

function drawExits({ exits }) {
  chartOrNothing("exits-chart", exits.length, NO_TRADES, () =>
    stacked(
      "exits-chart",
      "Trades by exit reason",
      exits.map((row) => words(row.exit_reason)),
      exits,
      { isAcross: true },
    ),
  );
  fillTable(
    "exits",
    [
      ["Exit", (row) => words(row.exit_reason)],
      ["Trades", (row) => number(row.trades), true],
      ["Won", (row) => share(row.wins / row.trades), true],
      ["Mean R", (row) => number(row.mean_r, 2, true), true],
      ["Net", (row) => money(row.net_pnl), true, (row) => tone(row.net_pnl)],
    ],
    exits,
  );
}

function holdName(bin) {
  if (bin <= 1) return String(bin);
  const [low, high] = [2 ** (bin - 2) + 1, 2 ** (bin - 1)];
  return low === high ? String(high) : `${low}–${high}`;
}

function drawHolds({ holds }) {
  chartOrNothing("holds-chart", holds.length, NO_TRADES, () =>
    stacked(
      "holds-chart",
      "Trades by bars held",
      holds.map((row) => holdName(row.bin)),
      holds,
      { title: (row) => `${holdName(row.bin)} bars` },
    ),
  );
}

function drawBridge({ bridge }) {
  const [row] = bridge;
  const hasAny =
    row && [row.gross_pnl, row.fees, row.slippage, row.funding].some((value) => value);
  chartOrNothing("bridge-chart", hasAny, "No trade, no cost.", () => {
    const c = colours();
    let level = row.gross_pnl;
    const steps = [["Gross", 0, row.gross_pnl]];
    for (const [name, cost] of [
      ["Fees", row.fees],
      ["Slippage", row.slippage],
      ["Funding", row.funding],
    ]) {
      steps.push([name, level, level - cost]);
      level -= cost;
    }
    steps.push(["Net", 0, row.net_pnl]);
    // A floating bar is a candle without wicks: it may cross zero, a stack may not.
    const item = ([name, from, to]) => {
      const colour =
        name === "Gross" || name === "Net"
          ? to >= 0
            ? c.gain
            : c.loss
          : to < from
            ? c.warn
            : c.gain;
      return {
        value: [from, to, Math.min(from, to), Math.max(from, to)],
        amount: to - from,
        itemStyle: {
          color: colour,
          color0: colour,
          borderColor: colour,
          borderColor0: colour,
        },
      };
    };
    chart(
      "bridge-chart",
      `From gross ${money(row.gross_pnl)} by fees, slippage and funding to net ${money(row.net_pnl)}`,
      {
        grid: snug({ top: 28 }),
        tooltip: { formatter: (one) => tip(one.name, [["", money(one.data.amount)]]) },
        xAxis: axis({
          type: "category",
          data: steps.map(([name]) => name),
          splitLine: { show: false },
        }),
        yAxis: axis({
          splitNumber: 4,
          axisLabel: { color: c.muted, formatter: (value) => number(value) },
        }),
        series: [
          {
            name: "bridge",
            type: "candlestick",
            barWidth: "56%",
            data: steps.map(item),
          },
          {
            name: "amounts",
            type: "scatter",
            symbolSize: 0.01,
            silent: true,
            data: steps.map(([, from, to]) => Math.max(from, to)),
            label: {
              show: true,
              position: "top",
              color: c.ink,
              formatter: (one) => {
                const [, from, to] = steps[one.dataIndex];
                return number(to - from, 0, true);
              },
            },
          },
        ],
      },
    );
  });
}

section("outcomes", () => {
  const own = of("outcomes");
  drawMultiples(own);
  drawBridge(own);
  drawExits(own);
  drawHolds(own);
});
