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
  const { learned, charts } = of("optimizer");
  const regimes = [...new Set(learned.map((row) => row.regime))];
  fillChoices(
    "learned-regime",
    regimes.map((name) => [name, words(name)]),
  );
  byId("learned-regime").parentElement.hidden = !learned.length;
  byId("learned-note").textContent = learned.length
    ? `Of the profile ${learned[0].profile}; before the first month it keeps its own weights.`
    : "";
  const drawn = column(charts);
  drawCharts(drawn[byId("learned-regime").value] ?? drawn.none);
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

section("optimizer", () => {
  const verdicts = ofSection("verdict").map((row) => row.note);
  const verdict = byId("optimizer-verdict");
  verdict.textContent =
    verdicts.join(" ") || `No sweep of ${profile().symbol} to learn from.`;
  verdict.dataset.finding = verdict.textContent.split(":")[0];
  listen("learned-regime", drawLearned);
  drawCharts(column(optimized().charts));
  drawModels();
  drawLearned();
  drawLearnedWorth();
});
