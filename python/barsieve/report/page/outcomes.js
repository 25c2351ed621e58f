// Results of the trades; the charts are described in barsieve/report/sections/outcomes.py.

section("outcomes", () => {
  const own = of("outcomes");
  drawCharts(column(own.charts));
  fillTable(
    "exits",
    [
      ["Exit", (row) => words(row.exit_reason)],
      ["Trades", (row) => number(row.trades), true],
      ["Won", (row) => share(row.win_rate), true],
      ["Mean R", (row) => number(row.mean_r, 2, true), true],
      ["Net", (row) => money(row.net_pnl), true, (row) => tone(row.net_pnl)],
    ],
    own.exits,
  );
  byId("other-exits-note").hidden = !own.others.length;
  fillTable(
    "other-exits",
    [
      ["Exit", (row) => (row.exit_rule === "none" ? "the rules alone" : row.exit_rule)],
      ["Trades", (row) => number(row.trades), true],
      ["Left earlier", (row) => share(row.left_earlier / row.trades), true],
      ["Mean R", (row) => number(row.mean_r, 3, true), true],
      ["Gain", (row) => number(row.gain_r, 3, true), true, (row) => tone(row.gain_r)],
      ["from", (row) => number(row.low, 3, true), true],
      ["to", (row) => number(row.high, 3, true), true],
    ],
    own.others,
  );
});
