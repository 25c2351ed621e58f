// Beliefs over time, verdicts on the classifiers, and the ribbon under the price.

let chosenRun = null;

// The run that the profile's threshold follows; a hidden Markov model where it follows none.
function runOfProfile() {
  const { runs } = report.sections.regimes;
  const first = runs.findIndex((one) => one.classifier === "hmm");
  return of("regimes").run ?? Math.max(0, first);
}

// The series that the price chart draws in its third grid, if there are regimes.
function ribbonOf() {
  const run = report.sections.regimes?.runs[runOfProfile()];
  return run ? [bound(column(run.ribbon))] : [];
}

// What the colours of the ribbon say, in words under the chart.
function ribbonLegend() {
  const run = report.sections.regimes?.runs[runOfProfile()];
  if (!run) return [];
  const chip = ([name, tone]) => {
    const colour = el("i", { class: "chip" });
    colour.style.background = `var(--${tone})`;
    return el("span", {}, colour, words(name));
  };
  const use =
    of("regimes").run === null
      ? "the threshold does not follow it"
      : "it shifts the threshold";
  return [
    `Ribbon: regime by ${run.name}; ${use}. `,
    ...Object.entries(report.sections.regimes.tones).map(chip),
  ];
}

const isOf = (run) => (row) =>
  row.classifier === run.classifier &&
  row.fit_window === run.fit_window &&
  row.reference_symbol === run.reference_symbol;

function drawJudged(run) {
  const { judged, tones } = report.sections.regimes;
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
    Object.keys(tones).flatMap((name) =>
      judged.filter((row) => isOf(run)(row) && row.regime === name),
    ),
  );
  fillTable(
    "regime-judged",
    [
      ["Classifier", (row) => row.name],
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
  byId("regime-worth-note").textContent = worthElsewhere();
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

// Of a whole whose symbols follow each their own days there is no one run to name.
const ownClassifier = () =>
  isWhole() && profile().classifier !== "off"
    ? "The threshold of each symbol follows the days of that symbol."
    : "This profile's threshold follows no classifier.";

function worthElsewhere() {
  if (of("regimes").worth.length)
    return !isWhole() && profile().account === "*"
      ? "Of the account that all its symbols share."
      : "";
  if (isWhole() && profile().account === null)
    return "Judged account by account: choose a symbol above.";
  return "Nothing was judged.";
}

function drawRun() {
  const { runs } = report.sections.regimes;
  const run = runs[chosenRun];
  drawCharts(column(run?.charts ?? report.sections.regimes.empty));
  byId("regime-note").textContent =
    of("regimes").run === null
      ? ownClassifier()
      : `This profile's threshold follows ${runs[of("regimes").run].name}.`;
  if (run) drawJudged(run);
}

section("regimes", () => {
  const { runs } = report.sections.regimes;
  const picker = byId("regime-run");
  const asked = runOfProfile();
  if (!picker.options.length) {
    picker.append(
      ...runs.map((run, k) => el("option", { value: String(k) }, run.name)),
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
