// What the symbols of a profile add up to; charts: barsieve/report/sections/portfolio.py.

function drawPortfolioTiles({ whole, symbols, is_shared: isShared, ...own }) {
  const best = symbols[0];
  const worst = symbols.at(-1);
  const signed = (value) => share(value, 1, true);
  const limit = isNumber(own.max_positions)
    ? `at most ${number(own.max_positions)} at once`
    : "as many as the margin allows";
  fill(
    "portfolio-tiles",
    tile(
      "Return of all together",
      signed(whole.return_share),
      `equal parts, held: ${signed(whole.hold_return_share)}`,
      tone(whole.return_share),
    ),
    tile(
      `Contributed most: ${best.symbol}`,
      signed(best.contribution),
      `of the start balance; least ${worst.symbol}, ${signed(worst.contribution)}`,
    ),
    tile(
      "Correlation of symbols",
      number(whole.mean_correlation, 2, true),
      "mean of all pairs, daily results",
    ),
    tile(
      "Entries without room",
      number(whole.no_room),
      isShared
        ? `one wallet, ${limit}; ${number(whole.refused)} refused for size or cost`
        : `an account for each; ${number(whole.refused)} refused for size or cost`,
    ),
  );
}

// The entry of a profile's symbol, where the page has one.
const entryOf = (name, symbol) =>
  report.profiles.findIndex((one) => one.profile === name && one.symbol === symbol);

function symbolCell({ profile: name, symbol }) {
  const index = entryOf(name, symbol);
  if (symbol === "*") return "all";
  if (index < 0) return symbol;
  return el(
    "button",
    { type: "button", class: "link", onclick: () => choose(index) },
    symbol,
  );
}

function drawPortfolioSymbols({ whole, symbols }) {
  fillTable(
    "portfolio-symbols",
    [
      ["Symbol", symbolCell],
      ["Trades", (row) => number(row.trades), true],
      ["Net", (row) => money(row.net_pnl), true, (row) => tone(row.net_pnl)],
      ["Contribution", (row) => share(row.contribution, 1, true), true],
      ["Return", (row) => share(row.return_share, 1, true), true],
      ["Held", (row) => share(row.hold_return_share, 1, true), true],
      ["Sharpe", (row) => number(row.sharpe, 2, true), true],
      ["Drawdown", (row) => share(row.max_drawdown), true],
      ["In market", (row) => share(row.exposure), true],
      ["Exposure", (row) => share(row.mean_gross_exposure), true],
      ["With the rest", (row) => number(row.correlation_with_rest, 2, true), true],
      ["No room", (row) => number(row.no_room), true],
      ["Refused", (row) => number(row.refused), true],
      ["Lapsed", (row) => number(row.lapsed), true],
    ],
    [whole, ...symbols],
    (row) => ({ "aria-current": row.symbol === "*" ? "true" : null }),
  );
}

section("portfolio", () => {
  const own = of("portfolio");
  drawPortfolioTiles(own);
  byId("portfolio-forced").textContent = own.forced;
  byId("portfolio-entries").textContent = own.entries;
  drawCharts(column(own.charts));
  drawPortfolioSymbols(own);
});
