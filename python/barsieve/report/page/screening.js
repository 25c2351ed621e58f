// From bars to entries; the charts are described in barsieve/report/sections/screening.py.

const gateBars = (gates, name) => gates.find((one) => one.gate === name)?.bars ?? 0;

function drawSaved({ parity, candidates, gates }) {
  const [row] = parity;
  if (!row) return fill("saved");
  const all = gateBars(gates, "bars");
  const ratio = isNumber(row.times_fewer)
    ? `${number(row.times_fewer, 1)} times fewer`
    : "none at all";
  return fill(
    "saved",
    tile(
      "Bars not stepped through",
      share(row.share_skipped),
      `${number(row.bars_visited)} of ${number(row.bars)} visited, ${ratio}`,
    ),
    tile(
      "Density of candidates",
      share(row.candidate_share, 2),
      `${number(candidates)} of ${number(all)} bars`,
    ),
    tile(
      "Entries caught",
      share(row.recall),
      `recall of the screen '${row.screen}'` +
        (isWhole() || isAlone() ? "" : ", on all symbols together"),
    ),
    tile(
      "Windows",
      number(of("screening").windows.windows),
      `${number(of("screening").windows.window_bars)} bars in them`,
    ),
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

function drawSentinels({ sentinels }) {
  fillTable(
    "sentinels",
    [
      ["Sentinel", (row) => words(row.sentinel)],
      ["Fired", (row) => number(row.fires), true],
      ["Of bars", (row) => share(row.share_of_bars), true],
      ["Entries with", (row) => number(row.entries_with), true],
      ["without", (row) => number(row.entries_without), true],
      ["Lift", (row) => number(row.lift, 2), true],
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
  drawCharts(column(own.charts));
  drawGates(own);
  drawSentinels(own);
});
