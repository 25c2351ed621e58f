// What the optimizer learned, and what it was worth in months that it had not seen.

const STRATEGY_FIGURES = {
  return_share: "Return",
  sharpe: "Sharpe",
  max_drawdown: "Max drawdown",
  profit_factor: "Profit factor",
  win_rate: "Won",
  trades: "Trades",
};
const optimized = () => report.sections.optimizer.symbols[profile().symbol];
const ofSection = (name) => optimized().figures.filter((row) => row.section === name);
const figureOf = (rows, subject, figure) =>
  rows.find((row) => row.subject === subject && row.figure === figure);
const subjectsOf = (rows) => [...new Set(rows.map((row) => row.subject))];
const inputName = (name) => (/^[A-Z]+$/.test(name) ? name : words(name));

// Bars of several series side by side, one group a name.
function drawGroups(id, label, names, groups, isAcross) {
  const c = colours();
  const tones = [c.accent, c.warn, c.faint, c.loss];
  const value = axis({
    splitNumber: 4,
    axisLabel: { color: c.muted, hideOverlap: true },
  });
  const category = axis({
    type: "category",
    data: names,
    inverse: isAcross,
    splitLine: { show: false },
    axisLine: { onZero: false, lineStyle: { color: c.line } },
    axisLabel: { color: c.ink, hideOverlap: true },
  });
  chart(id, label, {
    grid: snug({ top: 30, right: 10 }),
    legend: { data: Object.keys(groups) },
    tooltip: {
      trigger: "axis",
      axisPointer: { type: "shadow", shadowStyle: { color: c.shade } },
      formatter: (parameters) =>
        tip(
          parameters[0].name,
          parameters.map((one) => [one.seriesName, number(one.value, 3, true)]),
        ),
    },
    xAxis: isAcross ? value : category,
    yAxis: isAcross ? category : value,
    series: Object.entries(groups).map(([name, data], k) => ({
      name,
      type: "bar",
      data,
      itemStyle: { color: tones[k % tones.length] },
    })),
  });
}

function drawFits() {
  const rows = ofSection("model");
  const learners = subjectsOf(rows).filter((name) =>
    isNumber(figureOf(rows, name, "in_sample_r2")?.value),
  );
  const pick = (figure) =>
    learners.map((name) => figureOf(rows, name, figure)?.value ?? null);
  chartOrNothing("fits-chart", learners.length, "No model was fitted.", () =>
    drawGroups(
      "fits-chart",
      "R² in sample and walked forward, by model",
      learners.map(words),
      {
        "in sample": pick("in_sample_r2"),
        "walked forward": pick("walk_forward_r2"),
      },
    ),
  );
}

function drawImportance() {
  const rows = ofSection("importance").filter((row) => !row.subject.includes(" / "));
  const models = [...new Set(rows.map((row) => row.figure))];
  const inputs = subjectsOf(rows);
  const groups = Object.fromEntries(
    models.map((model) => [
      words(model),
      inputs.map((name) => figureOf(rows, name, model)?.value ?? null),
    ]),
  );
  const label = "Walked-forward R² lost without each group of inputs, by model";
  chartOrNothing("importance-chart", rows.length, "No month was predicted.", () =>
    drawGroups("importance-chart", label, inputs.map(inputName), groups, true),
  );
}

function drawModels() {
  const rows = ofSection("model");
  const cell = (figure, decimals, isSigned) => (name) => {
    const row = figureOf(rows, name, figure);
    const shown = number(row?.value, decimals, isSigned);
    return isNumber(row?.low)
      ? `${shown} (${number(row.low, decimals, isSigned)} to ${number(row.high, decimals, isSigned)})`
      : shown;
  };
  fillTable(
    "optimizer-models",
    [
      ["Model", words],
      ["R² in sample", cell("in_sample_r2", 2, true), true],
      ["walked forward", cell("walk_forward_r2", 2, true), true],
      ["Rank correlation", cell("rank_correlation", 2, true), true],
      ["R a month of its picks", cell("picked_r", 2, true), true],
      ["above the average", cell("lift_r", 2, true), true],
      ["Months", cell("months", 0), true],
    ],
    subjectsOf(rows),
  );
}

function drawLearned() {
  const c = colours();
  const { learned } = of("optimizer");
  const regimes = [...new Set(learned.map((row) => row.regime))];
  fillChoices(
    "learned-regime",
    regimes.map((name) => [name, words(name)]),
  );
  byId("learned-regime").parentElement.hidden = !learned.length;
  byId("learned-note").textContent = learned.length
    ? `Of the profile ${learned[0].profile}; before the first month it keeps its own weights.`
    : "";
  const sentence = `No profile of ${profile().symbol} learns its weights.`;
  chartOrNothing("learned-chart", learned.length, sentence, () => {
    const rows = learned.filter((row) => row.regime === byId("learned-regime").value);
    const months = [...new Set(rows.map((row) => row.month))];
    const domains = [...new Set(rows.map((row) => row.domain))];
    const tones = [c.accent, c.loss, c.warn, c.gain, c.faint];
    const series = (name, data, colour, extra) => ({
      name: words(name),
      type: "line",
      step: "end",
      symbol: "none",
      data,
      itemStyle: { color: colour },
      lineStyle: { color: colour, width: 2 },
      ...extra,
    });
    const byDomain = (name) => rows.filter((row) => row.domain === name);
    chart(
      "learned-chart",
      `Learned weights and threshold of ${learned[0].profile} by month`,
      {
        grid: snug({ top: 34, right: 10 }),
        legend: { data: [...domains.map(words), "threshold"] },
        tooltip: {
          trigger: "axis",
          formatter: (parameters) =>
            tip(
              parameters[0].name,
              parameters.map((one) => [one.seriesName, number(one.value, 3)]),
            ),
        },
        xAxis: axis({ type: "category", data: months, splitLine: { show: false } }),
        yAxis: axis({ min: 0, splitNumber: 4 }),
        series: [
          ...domains.map((name, k) =>
            series(
              name,
              byDomain(name).map((row) => row.weight),
              tones[k % tones.length],
            ),
          ),
          series(
            "threshold",
            byDomain(domains[0]).map((row) => row.threshold),
            c.ink,
            { lineStyle: { color: c.ink, width: 1.5, type: "dashed" } },
          ),
        ],
      },
    );
  });
}

function drawLearnedWorth() {
  const rows = ofSection("strategy");
  const isShare = (name) => ["return_share", "win_rate", "max_drawdown"].includes(name);
  const shown = (name, value) =>
    isShare(name) ? share(value) : number(value, name === "trades" ? 0 : 2);
  const figures = Object.keys(STRATEGY_FIGURES);
  const learners = [...new Set(rows.map((row) => row.profile))];
  const found = (one, figure) =>
    rows.find(
      (row) =>
        row.profile === one.learner &&
        row.subject === one.name &&
        row.figure === figure,
    );
  const cell = (figure) => (one) => {
    const row = found(one, figure);
    const interval = isNumber(row?.low)
      ? ` (${shown(figure, row.low)} to ${shown(figure, row.high)})`
      : "";
    return shown(figure, row?.value) + interval;
  };
  const table = byId("optimizer-strategies").parentElement;
  table.hidden = table.previousElementSibling.hidden = !rows.length;
  fillTable(
    "optimizer-strategies",
    [
      ["Profile", (one) => one.learner],
      ["Weights", (one) => words(one.name)],
      ...figures.map((name) => [STRATEGY_FIGURES[name], cell(name), true]),
    ],
    learners.flatMap((learner) => subjectsOf(rows).map((name) => ({ learner, name }))),
  );
}

function drawWalks() {
  const { walks } = optimized();
  chartOrNothing("walks-chart", walks.length, "Too few months to walk forward.", () =>
    drawGroups(
      "walks-chart",
      "Best configuration of each training year: result there, in the month after, and the average",
      walks.map((row) => row.test_from),
      {
        "in training": walks.map((row) => row.in_sample_r),
        "month after": walks.map((row) => row.out_of_sample_r),
        "all configurations": walks.map((row) => row.average_r),
      },
    ),
  );
}

section("optimizer", () => {
  const verdicts = ofSection("verdict").map((row) => row.note);
  const verdict = byId("optimizer-verdict");
  verdict.textContent =
    verdicts.join(" ") || `No sweep of ${profile().symbol} to learn from.`;
  verdict.dataset.finding = verdict.textContent.split(":")[0];
  listen("learned-regime", drawLearned);
  drawFits();
  drawImportance();
  drawModels();
  drawLearned();
  drawLearnedWorth();
  drawWalks();
});
