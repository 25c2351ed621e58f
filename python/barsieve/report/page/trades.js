// The table of trades: sorted, filtered, page by page.

const PAGE_ROWS = 15;
const order = { name: "trade_id", isDown: false };
let pageNumber = 0;
let listedProfile = null;

const costs = (trade) => trade.fees + trade.slippage + trade.funding;

// Where a trade is told: in the entry of its symbol, which a page may not have.
const entryOfTrade = (trade) =>
  isWhole() ? entryOf(profile().profile, trade.symbol) : state.profile;

function openTrade(trade) {
  const entry = entryOfTrade(trade);
  if (entry < 0) return;
  if (entry !== state.profile) choose(entry);
  pickTrade(trade.trade_id, true);
}

function tradeButton(trade) {
  if (entryOfTrade(trade) < 0) return String(trade.trade_id);
  return el(
    "button",
    {
      type: "button",
      class: "link",
      "aria-label": `Show trade ${trade.trade_id} in the chart`,
      onclick: (event) => {
        event.stopPropagation();
        openTrade(trade);
      },
    },
    String(trade.trade_id),
  );
}

// [heading, sorted by, cell, is it a number, class of a cell]
const TRADE_COLUMNS = [
  ["№", "trade_id", tradeButton, true],
  ["Symbol", "symbol", (t) => t.symbol],
  ["Side", "side", (t) => t.side],
  ["Entered", "entry_ts", (t) => moment(t.entry_ts)],
  ["Left", "exit_ts", (t) => moment(t.exit_ts)],
  ["Bars", "bars_held", (t) => number(t.bars_held), true],
  ["In", "entry_price", (t) => price(t.entry_price), true],
  ["Out", "exit_price", (t) => price(t.exit_price), true],
  ["Exit", "exit_reason", (t) => words(t.exit_reason)],
  ["Confidence", "confidence", (t) => number(t.confidence, 3), true],
  ["Gross", "gross_pnl", (t) => money(t.gross_pnl), true],
  ["Costs", "costs", (t) => money(-costs(t)), true],
  ["Net", "net_pnl", (t) => money(t.net_pnl), true, (t) => tone(t.net_pnl)],
  [
    "R",
    "r_multiple",
    (t) => number(t.r_multiple, 2, true),
    true,
    (t) => tone(t.net_pnl),
  ],
];

const columnsShown = () =>
  TRADE_COLUMNS.filter(([, name]) => name !== "symbol" || isWhole());

const sortedBy = (trade) => (order.name === "costs" ? costs(trade) : trade[order.name]);

function filtered() {
  const asked = Object.fromEntries(new FormData(byId("trade-filters")));
  const [from, to] = [asked.from, asked.to].map((text) =>
    text ? Date.parse(`${text}T00:00Z`) / 1000 : null,
  );
  return tradesOf(state.profile).filter(
    (one) =>
      (!asked.symbol || one.symbol === asked.symbol) &&
      (!asked.side || one.side === asked.side) &&
      (!asked.exit_reason || one.exit_reason === asked.exit_reason) &&
      (!asked.result || (asked.result === "won") === one.net_pnl > 0) &&
      (from === null || one.entry_ts >= from) &&
      (to === null || one.entry_ts < to + 24 * HOUR),
  );
}

function sorted(trades) {
  const sign = order.isDown ? -1 : 1;
  return [...trades].sort((one, other) => {
    const [a, b] = [sortedBy(one), sortedBy(other)];
    return (
      sign * (typeof a === "string" ? a.localeCompare(b) : a - b) ||
      one.trade_id - other.trade_id
    );
  });
}

function sortBy(name) {
  order.isDown = order.name === name ? !order.isDown : false;
  order.name = name;
  pageNumber = 0;
  listTrades();
  byId("trade-table").querySelector(`[data-sort="${name}"]`).focus();
}

function headings() {
  return el(
    "thead",
    {},
    el(
      "tr",
      {},
      ...columnsShown().map(([title, name, , isRight]) => {
        const isSorted = order.name === name;
        return el(
          "th",
          {
            scope: "col",
            class: isRight ? "n" : null,
            "aria-sort": isSorted
              ? order.isDown
                ? "descending"
                : "ascending"
              : "none",
          },
          el(
            "button",
            {
              type: "button",
              class: "sort",
              "data-sort": name,
              onclick: () => sortBy(name),
            },
            title,
            el(
              "span",
              { "aria-hidden": "true" },
              isSorted ? (order.isDown ? " ↓" : " ↑") : "",
            ),
          ),
        );
      }),
    ),
  );
}

function tradeRow(trade) {
  return el(
    "tr",
    {
      "data-trade": trade.trade_id,
      "aria-current": trade.trade_id === state.trade ? "true" : null,
      onclick: () => openTrade(trade),
    },
    ...columnsShown().map(([, , cell, isRight, kind]) =>
      el(
        "td",
        {
          class: [isRight ? "n" : "", kind ? kind(trade) : ""].join(" ").trim() || null,
        },
        cell(trade),
      ),
    ),
  );
}

function listTrades() {
  const rows = sorted(filtered());
  const last = Math.max(0, Math.ceil(rows.length / PAGE_ROWS) - 1);
  pageNumber = Math.min(pageNumber, last);
  const net = rows.reduce((sum, one) => sum + one.net_pnl, 0);
  const won = rows.filter((one) => one.net_pnl > 0).length;
  byId("trade-count").textContent =
    `${number(rows.length)} of ${number(tradesOf(state.profile).length)} trades` +
    (rows.length ? `, ${number(won)} won, net ${money(net)}` : "; nothing to list");
  fill(
    "trade-table",
    headings(),
    el(
      "tbody",
      {},
      ...rows.slice(pageNumber * PAGE_ROWS, (pageNumber + 1) * PAGE_ROWS).map(tradeRow),
    ),
  );
  byId("page-number").textContent = `Page ${pageNumber + 1} of ${last + 1}`;
  byId("page-before").disabled = pageNumber === 0;
  byId("page-after").disabled = pageNumber === last;
  byId("as-csv").disabled = !rows.length;
}

function markChosen() {
  for (const row of byId("trade-table").querySelectorAll("[data-trade]")) {
    if (Number(row.dataset.trade) === state.trade)
      row.setAttribute("aria-current", "true");
    else row.removeAttribute("aria-current");
  }
}

function turnPage(step) {
  pageNumber += step;
  listTrades();
}

function csvCell(value) {
  if (typeof value !== "string") return isNumber(value) ? String(value) : "";
  // A cell that a spreadsheet would take for a formula stays text.
  const text = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value;
  return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

const csvName = () =>
  isWhole() || isAlone()
    ? profile().profile
    : `${profile().profile}_${profile().symbol}`;

function saveCsv() {
  const rows = sorted(filtered());
  const names = Object.keys(rows[0]);
  const cell = (row, name) =>
    csvCell(
      name.endsWith("_ts") && isNumber(row[name])
        ? new Date(row[name] * 1000).toISOString()
        : row[name],
    );
  const text = [
    names.join(","),
    ...rows.map((row) => names.map((name) => cell(row, name)).join(",")),
  ].join("\n");
  const address = URL.createObjectURL(new Blob([text], { type: "text/csv" }));
  el("a", { href: address, download: `trades_${csvName()}.csv` }).click();
  setTimeout(() => URL.revokeObjectURL(address), 1000);
}

function choices(name) {
  const found = [...new Set(tradesOf(state.profile).map((one) => one[name]))].sort();
  return [
    el("option", { value: "" }, "all"),
    ...found.map((one) => el("option", { value: one }, words(one))),
  ];
}

function bindTrades() {
  const form = byId("trade-filters");
  const restart = () => {
    pageNumber = 0;
    listTrades();
  };
  form.addEventListener("change", restart);
  form.addEventListener("submit", (event) => event.preventDefault());
  // A form is empty only after its reset event.
  form.addEventListener("reset", () => setTimeout(restart));
  byId("page-before").addEventListener("click", () => turnPage(-1));
  byId("page-after").addEventListener("click", () => turnPage(1));
  byId("as-csv").addEventListener("click", saveCsv);
}

section("trades", () => {
  const form = byId("trade-filters");
  if (listedProfile === null) bindTrades();
  if (listedProfile !== state.profile) {
    byId("trade-symbol").hidden = !isWhole();
    form.elements.symbol.replaceChildren(...(isWhole() ? choices("symbol") : []));
    form.elements.side.replaceChildren(...choices("side"));
    form.elements.exit_reason.replaceChildren(...choices("exit_reason"));
    pageNumber = 0;
  }
  listedProfile = state.profile;
  byId("trades-note").textContent = of("trades").note;
  if (order.name === "symbol" && !isWhole()) order.name = "trade_id";
  listTrades();
});
