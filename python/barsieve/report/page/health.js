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

function drawCoverage({ series }) {
  const shown = series.filter((one) => one.months);
  const months = [
    ...new Set(shown.flatMap((one) => one.months.map((row) => row.month))),
  ].sort((a, b) => a - b);
  const place = new Map(months.map((month, k) => [month, k]));
  const c = colours();
  chartOrNothing(
    "coverage-chart",
    shown.length,
    "No series reaches the features.",
    () =>
      chart("coverage-chart", "Coverage of each series by month", {
        grid: snug({ top: 8, bottom: 50 }),
        tooltip: {
          formatter: (one) =>
            tip(
              `${shown[one.value[1]].series}, ${day(months[one.value[0]]).slice(0, 7)}`,
              [["known and fresh", share(one.value[2])]],
            ),
        },
        xAxis: axis({
          type: "category",
          data: months.map((month) => day(month).slice(0, 7)),
          splitLine: { show: false },
        }),
        yAxis: axis({
          type: "category",
          inverse: true,
          data: shown.map((one) => one.series),
          splitLine: { show: false },
          axisLabel: { color: c.ink },
        }),
        visualMap: {
          min: 0,
          max: 1,
          calculable: false,
          orient: "horizontal",
          left: "center",
          bottom: 0,
          itemHeight: 90,
          itemWidth: 10,
          text: ["always known", "never"],
          textStyle: { color: c.muted },
          inRange: { color: [c.loss, c.paper, seeThrough(c.gain, 0.75)] },
        },
        series: [
          {
            name: "coverage",
            type: "heatmap",
            itemStyle: { borderColor: c.paper, borderWidth: 1 },
            data: shown.flatMap((one, k) =>
              one.months.map((row) => [place.get(row.month), k, row.coverage]),
            ),
          },
        ],
      }),
  );
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
  drawCoverage(own);
  drawSeries(own);
});
