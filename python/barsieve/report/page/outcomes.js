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
});
