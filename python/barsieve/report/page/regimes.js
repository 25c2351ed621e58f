// Beliefs over time, verdicts on the classifiers, and the ribbon under the price.

const INPUT_ROWS = [
  ["vix", "VIX"],
  ["move", "MOVE"],
  ["dxy", "DXY"],
];
let chosenRun = null;

const stateColour = (c, name) =>
  ({ risk_on: c.gain, neutral: c.faint, risk_off: c.warn, crisis: c.loss })[name] ??
  c.line;

// The run that the profile's threshold follows; a hidden Markov model where it follows none.
function runOfProfile() {
  const { runs } = report.sections.regimes;
  const first = runs.findIndex((one) => one.classifier === "hmm");
  return of("regimes").run ?? Math.max(0, first);
}

const runName = (run) =>
  `${words(run.classifier)}, ${run.fit_window}, days of ${run.reference_symbol}`;

// Unbroken stays in a regime: a day's belief counts until the next is known.
function staysOf(run) {
  const [known, names] = [column(run.known_at), column(run.regime)];
  const stays = [];
  for (let k = 0; k < known.length; k++) {
    const last = stays.at(-1);
    const finish = known[k + 1] ?? known[k] + 24 * HOUR;
    if (last && last.name === names[k]) last.finish = finish;
    else stays.push({ name: names[k], start: known[k], finish });
  }
  return stays;
}

// The series that the price chart draws in its third grid; null leaves the grid out.
function ribbonOf() {
  const run = report.sections.regimes?.runs[runOfProfile()];
  if (!run) return null;
  const c = colours();
  return {
    name: "regime",
    type: "line",
    xAxisIndex: 2,
    yAxisIndex: 2,
    symbol: "none",
    silent: true,
    data: staysOf(run).map((stay) => [stay.start * 1000, 0]),
    lineStyle: { opacity: 0 },
    markArea: {
      silent: true,
      data: staysOf(run).map((stay) => [
        {
          xAxis: stay.start * 1000,
          itemStyle: { color: stateColour(c, stay.name), opacity: 0.85 },
        },
        { xAxis: stay.finish * 1000 },
      ]),
    },
  };
}

// What the colours of the ribbon say, in words under the chart.
function ribbonLegend() {
  const run = report.sections.regimes?.runs[runOfProfile()];
  if (!run) return [];
  const chip = (name) => {
    const colour = el("i", { class: "chip" });
    colour.style.background = stateColour(colours(), name);
    return el("span", {}, colour, words(name));
  };
  const use =
    of("regimes").run === null
      ? "the threshold does not follow it"
      : "it shifts the threshold";
  return [
    `Ribbon: regime by ${runName(run)}; ${use}. `,
    ...report.sections.regimes.states.map(chip),
    chip("unknown"),
  ];
}

function regimeTip(parameters) {
  return tip(
    `${moment(parameters[0].value[0] / 1000)} UTC`,
    parameters.map((one) => [
      one.seriesName,
      one.seriesIndex < 4 ? share(one.value[1]) : number(one.value[1], 2),
    ]),
  );
}

function drawBeliefs(run) {
  const c = colours();
  const known = column(run.known_at);
  const { states } = report.sections.regimes;
  const tops = ["46%", "60%", "74%"];
  const place = (k) => ({ xAxisIndex: k, yAxisIndex: k });
  const belief = (name) => ({
    name: words(name),
    type: "line",
    stack: "belief",
    symbol: "none",
    data: curveOf(known, column(run[`p_${name}`])),
    lineStyle: { width: 0 },
    itemStyle: { color: stateColour(c, name) },
    areaStyle: { color: stateColour(c, name), opacity: 0.8 },
  });
  const input = ([key, name], k) => ({
    ...place(k + 1),
    name,
    type: "line",
    symbol: "none",
    data: curveOf(known, column(run[key])),
    lineStyle: { color: c.accent, width: 1.2 },
    itemStyle: { color: c.accent },
  });
  const edges = { left: 64, right: 20 };
  chart(
    "regimes-chart",
    `Probability of each regime over time by ${runName(run)}, with VIX, MOVE and DXY`,
    {
      grid: [
        { ...edges, top: 30, height: "36%" },
        ...tops.map((top) => ({ ...edges, top, height: "11%" })),
      ],
      xAxis: [0, 1, 2, 3].map((gridIndex) =>
        timeAxis({ gridIndex, show: gridIndex === 3 }),
      ),
      yAxis: [
        axis({
          max: 1,
          splitNumber: 2,
          axisLabel: { color: c.muted, formatter: (value) => share(value, 0) },
        }),
        ...INPUT_ROWS.map(([, name], k) =>
          axis({
            gridIndex: k + 1,
            scale: true,
            splitNumber: 1,
            name,
            nameGap: 4,
            nameTextStyle: { color: c.muted, align: "left" },
          }),
        ),
      ],
      axisPointer: { link: [{ xAxisIndex: "all" }], label: { show: false } },
      legend: { data: states.map(words) },
      tooltip: { trigger: "axis", formatter: regimeTip },
      dataZoom: [
        { type: "inside", zoomOnMouseWheel: "ctrl", preventDefaultMouseMove: false },
        slider(c),
      ].map((zoom) => ({ ...zoom, xAxisIndex: [0, 1, 2, 3], filterMode: "none" })),
      series: [...states.map(belief), ...INPUT_ROWS.map(input)],
    },
    "canvas",
  );
}

const isOf = (run) => (row) =>
  row.classifier === run.classifier &&
  row.fit_window === run.fit_window &&
  row.reference_symbol === run.reference_symbol;

function drawJudged(run) {
  const { judged, states } = report.sections.regimes;
  fillTable(
    "regime-states",
    [
      ["Regime", (row) => words(row.regime)],
      ["Days", (row) => number(row.days), true],
      ["Of all", (row) => share(row.share_of_days), true],
      ["Mean stay, days", (row) => number(row.mean_duration_days, 1), true],
      [
        "Return of the next 5 days",
        (row) => share(row.mean_forward_return, 2, true),
        true,
      ],
      ["Deepest fall in them", (row) => share(row.mean_forward_drawdown, 2), true],
    ],
    [...states, "unknown"].flatMap((name) =>
      judged.filter((row) => isOf(run)(row) && row.regime === name),
    ),
  );
  fillTable(
    "regime-judged",
    [
      ["Classifier", runName],
      ["Days", (row) => number(row.days), true],
      ["Switches a year", (row) => number(row.switches_per_year, 1), true],
      [
        "Log-likelihood of a day",
        (row) => number(row.predictive_log_likelihood, 3),
        true,
      ],
      ["Next volatility explained", (row) => share(row.next_vol_explained), true],
      ["and foreseen", (row) => share(row.next_vol_forecast), true],
    ],
    judged.filter((row) => row.regime === "all"),
    (row) => ({ "aria-current": isOf(run)(row) ? "true" : null }),
  );
}

function drawWorth() {
  const isShare = (row) => ["win_rate", "max_drawdown"].includes(row.figure);
  const figure = (row, value, isSigned = false) =>
    isShare(row)
      ? share(value, 2, isSigned)
      : number(value, row.figure === "trades" ? 0 : 3, isSigned);
  fillTable(
    "regime-worth",
    [
      ["Span", (row) => words(row.span)],
      ["Classifier", (row) => words(row.classifier)],
      ["Figure", (row) => words(row.figure)],
      ["Without", (row) => figure(row, row.without_regime), true],
      ["With", (row) => figure(row, row.with_regime), true],
      ["Difference", (row) => figure(row, row.difference, true), true],
      [
        `Interval, 95% for all ${number(of("regimes").worth[0]?.comparisons)} at once`,
        (row) => `${figure(row, row.low, true)} to ${figure(row, row.high, true)}`,
        true,
      ],
      ["Beyond chance", (row) => (row.is_beyond_chance ? "yes" : "no")],
    ],
    of("regimes").worth,
  );
}

function drawRun() {
  const { runs } = report.sections.regimes;
  const run = runs[chosenRun];
  chartOrNothing("regimes-chart", run, "No day has a belief yet.", () =>
    drawBeliefs(run),
  );
  byId("regime-note").textContent =
    of("regimes").run === null
      ? "This profile's threshold follows no classifier."
      : `This profile's threshold follows ${runName(runs[of("regimes").run])}.`;
  if (run) drawJudged(run);
}

section("regimes", () => {
  const { runs } = report.sections.regimes;
  const picker = byId("regime-run");
  const asked = runOfProfile();
  if (!picker.options.length) {
    picker.append(
      ...runs.map((run, k) => el("option", { value: String(k) }, runName(run))),
    );
    picker.addEventListener("change", () => {
      chosenRun = Number(picker.value);
      drawRun();
    });
  }
  if (picker.dataset.profile !== String(state.profile)) chosenRun = asked;
  picker.dataset.profile = String(state.profile);
  picker.value = String(chosenRun);
  drawRun();
  drawWorth();
});
