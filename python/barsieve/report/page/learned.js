// What exits and sizes learned of trades, and what it was worth on those not seen.

const ACCOUNT_FIGURES = {
  cagr: "Growth a year",
  sharpe: "Sharpe",
  max_drawdown: "Max drawdown",
  under_water_share: "Under water",
  chance_of_ruin: "Chance of ruin",
  capital_used: "Capital used",
};

function showVerdict(id, rows) {
  const text = rows.filter((row) => row.section === "verdict").map((row) => row.note);
  byId(id).textContent = text.join(" ");
  byId(id).hidden = !text.length;
}

function drawLess(rows) {
  const less = rows.filter((row) => row.section.startsWith("learned less"));
  fillTable(
    "learned-less",
    [
      ["Beyond", (row) => row.subject],
      ["Sample", (row) => words(`${row.section.split(", ")[1]}, ${row.figure}`)],
      ["Is", (row) => number(row.value, 3, true), true, (row) => tone(row.value)],
      ["from", (row) => number(row.low, 3, true), true],
      ["to", (row) => number(row.high, 3, true), true],
    ],
    less,
  );
}

function drawCalibration(rows) {
  const own = rows.filter((row) => row.section === "calibration");
  const value = (row, isExpected) =>
    own.find(
      (one) =>
        one.subject === row.subject &&
        one.figure.startsWith("expected") === isExpected &&
        one.figure.endsWith("share") === row.figure.endsWith("share"),
    )?.value;
  const shown = (row, isExpected) =>
    row.figure.endsWith("share")
      ? share(value(row, isExpected))
      : number(value(row, isExpected), 3, true);
  fillTable(
    "learned-calibration",
    [
      [
        "Of what",
        (row) => (row.figure.endsWith("share") ? "trades won" : "rest of R, a close"),
      ],
      ["By what was expected", (row) => row.subject],
      ["Expected", (row) => shown(row, true), true],
      ["Came", (row) => shown(row, false), true],
    ],
    own.filter((row) => row.figure.startsWith("expected")),
  );
}

function drawAccounts(rows) {
  const own = rows.filter((row) => row.section === "account, out_of_sample");
  const value = (name, figure) =>
    own.find((row) => row.subject === name && row.figure === figure)?.value;
  const shown = (name, figure) =>
    figure === "sharpe" ? number(value(name, figure), 2) : share(value(name, figure));
  const table = byId("learned-accounts").parentElement;
  table.hidden = table.previousElementSibling.hidden = !own.length;
  fillTable(
    "learned-accounts",
    [
      ["Size", (name) => name],
      ...Object.keys(ACCOUNT_FIGURES).map((figure) => [
        ACCOUNT_FIGURES[figure],
        (name) => shown(name, figure),
        true,
      ]),
    ],
    [...new Set(own.map((row) => row.subject))],
  );
}

section("learned", () => {
  const { exits, sizes, charts } = of("learned");
  showVerdict("learned-exits-verdict", exits);
  showVerdict("learned-sizes-verdict", sizes);
  byId("policy").hidden = !exits.length;
  if (exits.length) drawCharts(column(charts));
  drawLess([...exits, ...sizes]);
  drawCalibration([...exits, ...sizes]);
  drawAccounts(sizes);
});
