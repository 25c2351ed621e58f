// Both replays' equity, and the months as a heat table.

const MONTHS = [
  "Jan",
  "Feb",
  "Mar",
  "Apr",
  "May",
  "Jun",
  "Jul",
  "Aug",
  "Sep",
  "Oct",
  "Nov",
  "Dec",
];
const STRONG_MONTH = 0.1;

function heatCell(value) {
  const cell = el("td", { class: "n" }, share(value, 1, true));
  if (isNumber(value) && value !== 0) {
    const strength = Math.min(Math.abs(value) / STRONG_MONTH, 1) * 45 + 5;
    cell.style.backgroundColor = `color-mix(in srgb, var(--${value > 0 ? "gain" : "loss"}) ${strength.toFixed(0)}%, transparent)`;
  }
  return cell;
}

function drawMonths() {
  const { returns } = of("equity");
  const years = returns.filter((one) => one.month === null);
  const rows = years.map(({ year, return_share: whole }) => {
    const own = returns.filter((one) => one.year === year);
    return el(
      "tr",
      {},
      el("th", { scope: "row" }, String(year)),
      ...MONTHS.map((_, k) => {
        const found = own.find((one) => one.month === k + 1);
        return found ? heatCell(found.return_share) : el("td", { class: "n" }, "");
      }),
      el("td", { class: `n sum ${tone(whole)}` }, share(whole, 1, true)),
    );
  });
  fill(
    "months",
    el(
      "thead",
      {},
      el(
        "tr",
        {},
        el("th", { scope: "col" }, "Year"),
        ...MONTHS.map((name) => el("th", { scope: "col", class: "n" }, name)),
        el("th", { scope: "col", class: "n" }, "Whole"),
      ),
    ),
    el("tbody", {}, ...rows),
  );
}

const drawdownColumns = [
  ["Peak", (row) => moment(row.start_ts)],
  ["Trough", (row) => moment(row.trough_ts)],
  ["Recovered", (row) => (row.end_ts === null ? "not yet" : moment(row.end_ts))],
  ["Depth", (row) => share(row.depth), true],
  ["Days", (row) => number(row.days, 1), true],
];

section("equity", () => {
  const own = of("equity");
  byId("equity-note").textContent = own.note;
  drawCharts(column(own.charts));
  fillTable("drawdowns", drawdownColumns, own.drawdowns);
  drawMonths();
});
