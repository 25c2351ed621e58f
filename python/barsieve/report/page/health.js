// Coverage and age of what went in.

function drawOracle({ oracle }) {
  const worst = isNumber(oracle.worst_difference)
    ? `; the worst difference is ${oracle.worst_difference.toExponential(1)}`
    : "";
  byId("oracle").textContent =
    `${number(oracle.identical)} of ${number(oracle.columns)} columns of features and scores agree with a slow second ` +
    `implementation on ${number(oracle.values_compared)} sampled values${worst}` +
    (oracle.vacuous ? `; ${number(oracle.vacuous)} had nothing to compare.` : ".");
}

function drawFindings({ findings }) {
  byId("findings-note").textContent = findings.length
    ? `${number(findings.length)} findings, the worst first. A finding stops no build: it says what the market lacks and what that means.`
    : "Nothing was found that the market lacks.";
  if (!findings.length) return;
  fillTable(
    "health-findings",
    [
      ["Symbol", (row) => row.symbol || "all"],
      ["About", (row) => row.subject],
      ["Finding", (row) => row.finding.replaceAll("_", " ")],
      ["Meaning", (row) => row.meaning],
    ],
    findings,
    (row) => ({ class: row.finding === "broken_promise" ? "flagged" : null }),
  );
}

function drawBars({ bars, gaps }) {
  fillTable(
    "health-bars",
    [
      ["Symbol", (row) => row.symbol],
      ["Bars", (row) => number(row.bars), true],
      ["First", (row) => moment(row.first)],
      ["Last", (row) => moment(row.last)],
      ["Gaps", (row) => number(row.gaps), true],
      ["Hours missing", (row) => number(row.missing_hours), true],
      ["Without volume", (row) => number(row.without_volume), true],
      ["Without range", (row) => number(row.without_range), true],
    ],
    bars,
  );
  byId("gaps").textContent = gaps.length
    ? `Longest gaps: ${gaps.map((one) => `${number(one.gap_hours)} h before ${moment(one.at)} (${one.symbols})`).join("; ")}.`
    : "No hour is missing.";
}

function drawSeries({ series }) {
  fillTable(
    "health-series",
    [
      ["Series", (row) => el("span", { title: row.description }, row.series)],
      ["Source", (row) => row.source ?? "–"],
      ["Unit", (row) => row.unit ?? "–"],
      ["Observed", (row) => number(row.observations), true],
      ["First known", (row) => day(row.first)],
      ["Last known", (row) => day(row.last)],
      ["Coverage", (row) => share(row.coverage), true],
      ["Mean age", (row) => hours(row.mean_age_hours), true],
      ["Age at the end", (row) => hours(row.last_age_hours), true],
      ["Stale after", (row) => hours(row.stale_after_hours), true],
      [
        "To look at",
        (row) =>
          row.flags.length
            ? row.flags.join("; ")
            : row.feature === null
              ? "read by no feature"
              : "nothing",
      ],
    ],
    series,
    (row) => ({ class: row.flags.length ? "flagged" : null }),
  );
}

section("health", () => {
  const own = report.sections.health;
  drawFindings(own);
  drawOracle(own);
  drawBars(own);
  drawCharts(column(own.charts));
  drawSeries(own);
});
