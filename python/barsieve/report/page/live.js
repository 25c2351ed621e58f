// Decisions of a paper account; queries: barsieve/report/sections/live.py.

function drawLiveTiles({ timings, verdicts }) {
  const sum = (rows, name) => rows.reduce((n, row) => n + row[name], 0);
  const late = timings.filter((row) => row.timing === "late");
  const all = sum(verdicts, "decisions");
  const same = sum(
    verdicts.filter((row) => row.verdict === "identical"),
    "decisions",
  );
  const measured = sum(timings, "orders_measured");
  const mean =
    timings.reduce(
      (total, row) => total + (row.slippage_measured_bps ?? 0) * row.orders_measured,
      0,
    ) / measured;
  fill(
    "live-tiles",
    tile(
      "Live is batch",
      share(same / all),
      `${number(same)} of ${number(all)} decisions identical`,
      same === all ? "" : "loss",
    ),
    tile(
      "Decided late",
      number(sum(late, "decisions")),
      `of ${number(sum(timings, "decisions"))}`,
    ),
    tile(
      "Slippage measured, bp",
      number(measured ? mean : null, 1, true),
      `assumed ${number(timings[0]?.slippage_assumed_bps, 1)}; ${number(measured)} orders measured`,
    ),
  );
}

section("live", () => {
  const { timings, verdicts, differing } = of("live");
  drawLiveTiles({ timings, verdicts });
  fillTable(
    "live-timings",
    [
      ["Symbol", (row) => row.symbol],
      ["Decided", (row) => words(row.timing)],
      ["Decisions", (row) => number(row.decisions), true],
      ["Identical", (row) => number(row.identical), true],
      ["Median, s", (row) => number(row.median_late_seconds), true],
      ["Longest, s", (row) => number(row.max_late_seconds), true],
      ["Orders", (row) => number(row.orders), true],
      ["Assumed, bp", (row) => number(row.slippage_assumed_bps, 1), true],
      ["Measured, bp", (row) => number(row.slippage_measured_bps, 1, true), true],
      ["Trades", (row) => number(row.trades), true],
      ["Net", (row) => money(row.net_pnl), true, (row) => tone(row.net_pnl)],
    ],
    timings,
  );
  fillTable(
    "live-verdicts",
    [
      ["Verdict", (row) => words(row.verdict)],
      ["Cause", (row) => (row.cause ? words(row.cause) : "–")],
      ["Decisions", (row) => number(row.decisions), true],
      ["First bar", (row) => moment(row.first), true],
      ["Last bar", (row) => moment(row.last), true],
    ],
    verdicts,
  );
  if (!differing.length) return fill("live-differing");
  return fillTable(
    "live-differing",
    [
      ["Close (UTC)", (row) => moment(row.at)],
      ["Symbol", (row) => row.symbol],
      ["Verdict", (row) => words(row.verdict)],
      ["Cause", (row) => words(row.cause)],
      ["Said", (row) => row.action ?? "–"],
      ["The build says", (row) => row.action_built ?? "–"],
      ["Fields", (row) => row.fields_that_differ ?? "–"],
    ],
    differing,
  );
});
