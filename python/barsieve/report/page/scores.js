// What scores know of the hours that follow, before any replay.

const judgedScores = () => report.sections.scores.symbols[profile().symbol];

function drawBestScores({ best }) {
  const found = best.filter((row) => row.is_beyond_chance).length;
  byId("scores-note").textContent = best.length
    ? `${number(found)} of ${number(best.length)} scores, sentinels and signals know something of ${profile().symbol} beyond chance over all hours. ` +
      `Each at its best horizon; p-values are corrected for all ${number(best[0].comparisons)} looks of the table. Ranks are those of hindsight, and a spread has to beat its cost.`
    : `Nothing was judged on ${profile().symbol}.`;
  fillTable(
    "scores-best",
    [
      ["Name", (row) => words(row.name)],
      ["Kind", (row) => words(row.kind)],
      ["Hours", (row) => number(row.horizon_hours), true],
      ["Correlation", (row) => number(row.information_coefficient, 3, true), true],
      [
        "Months alike",
        (row) =>
          isNumber(row.months_same_sign) ? share(row.months_same_sign, 0) : "–",
        true,
      ],
      ["Spread, bps", (row) => number(row.spread_bps, 1, true), true],
      ["Its cost", (row) => number(row.cost_bps, 1), true],
      ["Cost of a leg it bears", (row) => number(row.break_even_bps, 1), true],
      ["Hits", (row) => (isNumber(row.hit_rate) ? share(row.hit_rate) : "–"), true],
      ["p", (row) => number(row.p_value, 4), true],
      ["Corrected", (row) => number(row.p_adjusted, 4), true],
      ["Beyond chance", (row) => (row.is_beyond_chance ? "yes" : "no")],
    ],
    best,
    (row) => ({ "aria-current": row.is_beyond_chance ? "true" : null }),
  );
}

function drawScore() {
  const { charts, verdicts } = judgedScores();
  const name = byId("score-name").value;
  byId("score-verdict").textContent = name ? `${words(name)}: ${verdicts[name]}.` : "";
  const drawn = column(charts);
  drawCharts(drawn[name] ?? drawn.none);
}

section("scores", () => {
  const own = judgedScores();
  drawBestScores(own);
  listen("score-name", drawScore);
  fillChoices(
    "score-name",
    own.best.map((row) => [row.name, words(row.name)]),
  );
  drawScore();
});
