// A sweep of many configurations in words and tables, and what is chosen to be shown.

let sweepShown = 0;

function sweepWords({ figures: f, refused, idle }) {
  return [
    `Of ${number(f.configurations)} configurations, ${number(f.profitable)} (${share(f.profitable_share)}) were profitable after all costs; the median one ended at ${money(f.median_net_pnl)} USD, the best at ${money(f.best_net_pnl)} USD with ${number(f.best_trades)} trades.`,
    idle ? `${number(idle)} never traded.` : null,
    isNumber(f.deflated_sharpe)
      ? `Among so many, as alike as they are, luck alone is expected to show a Sharpe ratio of ${number(f.expected_monthly_sharpe, 2)} a month, and 95% of such sweeps without skill stay below ${number(f.needed_monthly_sharpe, 2)}; the best has ${number(f.best_monthly_sharpe, 2)}. A true annual ratio of ${number(f.visible_annual_sharpe, 1)} would have been seen with a probability of 80%.`
      : null,
    isNumber(f.winner_second_rank)
      ? `Whoever had chosen the best of the first half would have met place ${number(f.winner_second_rank)} of ${number(f.with_trades)} in the second, and ${money(f.winner_second_net_pnl)} USD.`
      : null,
    f.overfitting_probability < 0.5 && f.finding === "no edge"
      ? "A probability of overfitting below a half says here that some lose less than others again and again, not that any earns."
      : null,
    refused ? `${number(refused)} more broke a constraint and were not run.` : null,
  ]
    .filter(Boolean)
    .join(" ");
}

function drawSweepTiles({ figures: f }) {
  fill(
    "sweep-tiles",
    tile(
      "Profitable after costs",
      share(f.profitable_share),
      `of ${number(f.configurations)} configurations`,
    ),
    tile(
      "Best net result",
      money(f.best_net_pnl),
      `USD; median ${money(f.median_net_pnl)}`,
    ),
    tile(
      "Deflated Sharpe ratio",
      share(f.deflated_sharpe),
      "of sweeps without skill have a lesser best",
    ),
    tile(
      "Probability of overfitting",
      share(f.overfitting_probability),
      "PBO; a half is what noise has",
    ),
  );
}

function drawLuck({ figures: f }) {
  fillTable(
    "sweep-luck",
    [
      ["Figure", ([name]) => name],
      ["Value", ([, value]) => value, true],
      ["It means", ([, , meaning]) => meaning],
    ],
    [
      [
        "Best monthly Sharpe ratio",
        number(f.best_monthly_sharpe, 3),
        `over ${number(f.months)} months, not annualised`,
      ],
      ["Trials", number(f.trials), "configurations that ever traded"],
      [
        "Effective trials",
        number(f.effective_trials, 1),
        `they resemble each other: mean correlation ${number(f.mean_correlation, 2)}`,
      ],
      [
        "Expected of luck",
        number(f.expected_monthly_sharpe, 3),
        "best ratio of these trials without any skill: their own returns less their means, months drawn in blocks",
      ],
      [
        "Needed",
        number(f.needed_monthly_sharpe, 3),
        "ratio that 95% of sweeps without skill stay below",
      ],
      [
        "Deflated Sharpe ratio",
        share(f.deflated_sharpe),
        "of sweeps without skill have a lesser best; below 95% there is no edge",
      ],
      [
        "Would have been seen",
        number(f.visible_annual_sharpe, 2),
        "least true annual ratio that is beyond luck with a probability of 80%",
      ],
      [
        "Probability of overfitting",
        share(f.overfitting_probability),
        `in ${number(f.overfitting_combinations)} ways to choose half of ${number(f.overfitting_blocks)} blocks of months, how often the winner there is in the lower half of the others`,
      ],
      [
        "Winner loses afterwards",
        share(f.overfitting_loss_probability),
        "how often it has a Sharpe ratio below 0 in the other half",
      ],
      [
        "Threshold and Sharpe ratio",
        number(f.threshold_sharpe_correlation, 3, true),
        "correlation over configurations, daily ratio of the whole history",
      ],
    ],
  );
}

function drawLegacy({ claims }) {
  byId("sweep-legacy-note").textContent =
    "What the legacy system said of its own sweep over the real market." +
    (report.sections.sweep.is_simulated
      ? " This market is simulated, so the two need not agree."
      : "");
  const ratio = (value) => number(value, 3, true);
  fillTable(
    "sweep-legacy",
    [
      ["Claim", ([name]) => name],
      ["Legacy", ([, claim, , shown]) => shown(claim), true],
      ["Here", ([, , here, shown]) => shown(here), true],
    ],
    [
      ...claims.profitable.map(([symbol, claim, here]) => [
        `Profitable, ${symbol}`,
        claim,
        here,
        share,
      ]),
      ...claims.correlations.map(([symbol, claim, here]) => [
        `Correlation of threshold and Sharpe ratio, ${symbol}`,
        claim,
        here,
        ratio,
      ]),
    ],
  );
}

function fillChoices(id, choices) {
  const chosen = byId(id).value;
  fill(id, ...choices.map(([value, title]) => el("option", { value }, title)));
  if (choices.some(([value]) => value === chosen)) byId(id).value = chosen;
}

function listen(id, react) {
  const select = byId(id);
  if (select.dataset.heard) return;
  select.dataset.heard = "yes";
  select.addEventListener("change", react);
}

function drawTerrain({ weights, shown, terrain }) {
  fillChoices("sweep-setting", weights);
  fillChoices("sweep-figure", shown);
  const charts = column(terrain)[byId("sweep-setting").value];
  drawCharts(charts[byId("sweep-figure").value]);
}

function sweepNote({ figures }) {
  const others = report.sections.sweep.others.map(
    (one) => `${one.grid} (${one.symbol})`,
  );
  return (
    `Grid ${figures.grid} over ${figures.symbol}; what it does not vary is of the profile ${figures.profile}.` +
    (others.length ? ` Added since the build and not shown: ${others.join(", ")}.` : "")
  );
}

function drawSweep() {
  const { sweeps } = report.sections.sweep;
  const sweep = sweeps[sweepShown];
  byId("sweep-choice").value = String(sweepShown);
  byId("sweep-note").textContent = sweepNote(sweep);
  byId("sweep-verdict").textContent = sweep.figures.verdict;
  byId("sweep-verdict").dataset.finding = sweep.figures.finding;
  byId("sweep-words").textContent = sweepWords(sweep);
  drawSweepTiles(sweep);
  drawTerrain(sweep);
  drawCharts(column(sweep.charts));
  drawLuck(sweep);
  drawLegacy(sweep);
}

section("sweep", () => {
  const { sweeps } = report.sections.sweep;
  const picker = byId("sweep-choice");
  if (!picker.options.length) {
    fillChoices(
      "sweep-choice",
      sweeps.map(({ figures }, k) => [String(k), figures.symbol]),
    );
    byId("sweep-picker").hidden = sweeps.length < 2;
  }
  listen("sweep-choice", () => {
    sweepShown = Number(picker.value);
    drawSweep();
  });
  for (const id of ["sweep-setting", "sweep-figure"])
    listen(id, () => drawTerrain(sweeps[sweepShown]));
  if (picker.dataset.profile !== String(state.profile)) {
    sweepShown = Math.max(
      0,
      sweeps.findIndex(({ figures }) => figures.symbol === profile().symbol),
    );
  }
  picker.dataset.profile = String(state.profile);
  drawSweep();
});
