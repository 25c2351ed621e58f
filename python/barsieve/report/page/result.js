// Headline figures, baselines, and every profile at a glance.

const strategyNames = {
  strategy: "the profile",
  buy_and_hold: "buy and hold",
  random_entry: "random entries (median)",
};

function tile(title, value, below, kind = "") {
  return el(
    "div",
    { class: "tile" },
    el("span", {}, title),
    el("strong", { class: kind }, value),
    el("small", {}, below),
  );
}

// Luck is that of an account: of a symbol's own, or of the one that symbols share.
function luckElsewhere() {
  if (isWhole() && profile().account === null)
    return "Luck is told of each account: choose a symbol above.";
  if (!isWhole() && profile().account === "*")
    return "Luck is told of the account that the symbols share: choose all of them above.";
  return "";
}

function drawTiles(rows, hasFunding) {
  const [own, hold, random] = ["strategy", "buy_and_hold", "random_entry"].map(
    (name) => rows.find((row) => row.strategy === name) ?? {},
  );
  const beside = (name, format) =>
    `holding ${format(hold[name])} · random ${format(random[name])}`;
  const signed = (value) => share(value, 1, true);
  fill(
    "tiles",
    tile(
      hasFunding
        ? "Return, net of all costs"
        : "Return, before funding (there is none)",
      signed(own.return_share),
      beside("return_share", signed),
      tone(own.return_share),
    ),
    tile(
      "Sharpe ratio",
      number(own.sharpe, 2),
      beside("sharpe", (value) => number(value, 2)),
    ),
    tile("Deepest drawdown", share(own.max_drawdown), beside("max_drawdown", share)),
    tile(
      "Trades",
      number(own.trades),
      `${share(own.win_rate)} won · profit factor ${number(own.profit_factor, 2)}`,
    ),
  );
  const luck = own.luck;
  fill(
    "luck",
    own.trades === 0
      ? "No trade: the gates of the screening section say why."
      : isNumber(luck)
        ? `Luck: ${share(luck, 0)} of the replays with the same signals at random times, and as many trades, earned at least as much ` +
          `(by mean R ${share(own.luck_mean_r, 0)}, before costs ${share(own.luck_gross_r, 0)}; ${number(own.luck_draws)} draws, ` +
          `${share(own.luck_acceptance, 0)} of the shifts accepted${own.luck_note ? `: ${own.luck_note}` : ""}). ` +
          "Small is timing, large is luck."
        : own.luck_note
          ? `Luck is not told: ${own.luck_note}.`
          : luckElsewhere(),
    own.ruined_at
      ? ` Ruined: on ${moment(own.ruined_at)} the account could carry no order of the smallest size any more.`
      : "",
  );
}

const resultColumns = [
  ["Trades", (row) => number(row.trades), true],
  ["Won", (row) => share(row.win_rate), true],
  ["Profit factor", (row) => number(row.profit_factor, 2), true],
  ["Mean R", (row) => number(row.mean_r, 2, true), true],
  [
    "Return",
    (row) => share(row.return_share, 1, true),
    true,
    (row) => tone(row.return_share),
  ],
  ["Sharpe", (row) => number(row.sharpe, 2), true],
  ["Drawdown", (row) => share(row.max_drawdown), true],
  ["In the market", (row) => share(row.exposure), true],
];

function drawSamples(rows) {
  byId("samples-part").hidden = !rows.length;
  if (!rows.length) return;
  const [{ until_at: until, tried }] = rows;
  byId("samples-note").textContent =
    (isNumber(until)
      ? `Its settings were picked on what was known until ${moment(until)}`
      : "Its settings were picked on another market, so all of this one is out of sample") +
    (isNumber(tried) ? `, the best of ${number(tried)}` : "") +
    ": what it made in sample is a choice, what it made out of sample a result.";
  fillTable(
    "samples",
    [
      ["", (row) => words(row.sample)],
      ["Days", (row) => number(row.days), true],
      ...resultColumns.slice(0, -1),
    ],
    rows,
  );
}

// Rows of text from Python, the first cell a name; a heading for each of the others.
function drawFigures(id, headings, rows) {
  const cells = headings.map((heading, k) => [heading, (row) => row[k + 1], true]);
  fillTable(id, [["", (row) => row[0]], ...cells], rows);
}

section("result", () => {
  const { strategies, samples, has_funding: hasFunding, figures } = of("result");
  drawSamples(samples);
  drawTiles(strategies, hasFunding);
  fillTable(
    "strategies",
    [["", (row) => strategyNames[row.strategy] ?? row.strategy], ...resultColumns],
    strategies,
  );
  drawFigures("trade-figures", ["All trades", "Long", "Short"], figures.trades);
  drawFigures("account-figures", ["The profile", "Buy and hold"], figures.account);
  const rows = report.sections.result.profiles
    .map((one, index) => ({
      ...one.strategies.find((row) => row.strategy === "strategy"),
      index,
      parity: one.parity[0],
      about: report.profiles[index],
    }))
    .filter(({ about }) => about.symbol === "*" || about.n_symbols === 1);
  const pick = (row) =>
    el(
      "button",
      { type: "button", class: "link", onclick: () => choose(row.index) },
      row.about.profile,
    );
  fillTable(
    "overview",
    [
      ["Profile", pick],
      ["Symbol", (row) => row.about.title],
      [
        "Parity",
        (row) =>
          row.parity?.verdict === "broken"
            ? el("strong", { class: "loss" }, "broken")
            : (row.parity?.verdict ?? "–"),
      ],
      ...resultColumns,
    ],
    rows,
    (row) => ({
      "aria-current": row.about.profile === profile().profile ? "true" : null,
    }),
  );
});
