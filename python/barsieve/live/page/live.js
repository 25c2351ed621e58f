// Asks the server for the figures and shows them; see barsieve/live/page/server.py.

const POLL_MS = 3000;
const DASH = "–";
const byId = (id) => document.getElementById(id);
const SVG = "http://www.w3.org/2000/svg";

// Text stays text: children are nodes or become text nodes, never markup.
function el(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== null) element.setAttribute(name, value);
  }
  element.append(...children.filter((child) => child !== null));
  return element;
}

const isNumber = (value) => typeof value === "number" && Number.isFinite(value);

function number(value, digits = 2, signed = false) {
  if (!isNumber(value)) return DASH;
  const text = Math.abs(value).toLocaleString("en", {
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  });
  if (value < 0) return `−${text}`;
  return signed ? `+${text}` : text;
}

const price = (value) =>
  isNumber(value) ? value.toLocaleString("en", { maximumSignificantDigits: 7 }) : DASH;
const quantity = (value) => value.toLocaleString("en", { maximumSignificantDigits: 6 });
const moment = (text) => (text ? text.slice(0, 16).replace("T", " ") : DASH);
const tone = (value) => (value > 0 ? "gain" : value < 0 ? "loss" : null);

// Columns are [heading, cell of a row, is it a number, class of a cell].
function fillTable(id, columns, rows, none) {
  if (!rows.length) {
    byId(id).replaceChildren(el("tbody", {}, el("tr", {}, el("td", {}, none))));
    return;
  }
  const head = columns.map(([title, , isRight]) =>
    el("th", { scope: "col", class: isRight ? "n" : null }, title),
  );
  const body = rows.map((row) =>
    el(
      "tr",
      {},
      ...columns.map(([, cell, isRight, kind]) =>
        el(
          "td",
          {
            class:
              [isRight ? "n" : "", kind?.(row) ?? ""].filter(Boolean).join(" ") || null,
          },
          cell(row),
        ),
      ),
    ),
  );
  byId(id).replaceChildren(
    el("thead", {}, el("tr", {}, ...head)),
    el("tbody", {}, ...body),
  );
}

function tile(title, value, note, kind = null) {
  return el(
    "div",
    { class: "tile" },
    el("span", {}, title),
    el("strong", { class: kind }, value),
    el("small", {}, note),
  );
}

function curve(points, label) {
  if (points.every(([, value]) => value === points[0]?.[1])) return null;
  const [times, values] = [points.map(([at]) => at), points.map(([, value]) => value)];
  const [first, last] = [times[0], times[times.length - 1]];
  const low = Math.min(...values);
  const span = Math.max(...values) - low || 1;
  const x = (at) => (1000 * (at - first)) / (last - first || 1);
  const y = (value) => 95 - (90 * (value - low)) / span;
  const picture = document.createElementNS(SVG, "svg");
  const attributes = {
    viewBox: "0 0 1000 100",
    preserveAspectRatio: "none",
    class: "curve",
    role: "img",
    "aria-label": label,
  };
  for (const [name, value] of Object.entries(attributes))
    picture.setAttribute(name, value);
  const level = document.createElementNS(SVG, "line");
  const start = y(values[0]);
  for (const [name, value] of Object.entries({ x1: 0, x2: 1000, y1: start, y2: start }))
    level.setAttribute(name, value);
  const path = document.createElementNS(SVG, "path");
  const steps = points.map(
    ([at, value]) => `${x(at).toFixed(1)} ${y(value).toFixed(2)}`,
  );
  path.setAttribute("d", `M${steps.join("L")}`);
  picture.append(level, path);
  return picture;
}

function positionTile({ position, close }) {
  if (!position) return tile("Position", "flat", `last close ${price(close)}`);
  return tile(
    "Position",
    `${position.side} ${quantity(position.qty)}`,
    `since ${position.bars_held} bars at ${price(position.entry_price)}; ` +
      `${number(position.profit_r, 2, true)} R`,
  );
}

function restingTile({ resting }) {
  if (!resting.length) return tile("Resting orders", DASH, "none");
  return tile(
    "Resting orders",
    price(resting[0].price),
    resting
      .map((one) => `${one.kind.replaceAll("_", " ")} ${price(one.price)}`)
      .join(", "),
  );
}

function decisionTile(row) {
  const barred = row.barred_by.map((gate) => gate.replaceAll("_", " ")).join(", ");
  const order = row.order
    ? `${quantity(row.order.qty)}, stop ${price(row.order.stop)}`
    : barred && `no entry: ${barred}`;
  return tile(`Decided ${moment(row.decided_for)}`, row.action, order || " ");
}

function account(row, curves, minutes) {
  const own = curves.find(
    (one) => one.account === row.account && one.symbol === row.symbol,
  );
  const start = own?.points[0]?.[1];
  const gain = isNumber(start) ? row.equity / start - 1 : null;
  const wait = minutes > 0 ? `in ${Math.round(minutes)} min` : "due";
  return el(
    "article",
    { class: "account" },
    el("h3", {}, `${row.account} · ${row.symbol}`),
    el(
      "div",
      { class: "tiles" },
      tile(
        "Equity",
        number(row.equity),
        `${number(gain === null ? null : 100 * gain, 2, true)} % since it was opened`,
        gain === null ? null : tone(gain),
      ),
      positionTile(row),
      restingTile(row),
      decisionTile(row),
      tile("Next decision", moment(row.next_decision).slice(11), wait),
    ),
    curve(own?.points ?? [], `Equity of ${row.account}`),
  );
}

function showVerdict(found) {
  const isBatch = found.verdict === "identical";
  const kind = found.is_in_order ? (isBatch ? "holds" : "vacuous") : "broken";
  byId("verdict").className = `verdict ${kind}`;
  byId("sign").textContent = { holds: "✓", broken: "✕", vacuous: "○" }[kind];
  const compared = (found.built.verdicts ?? []).reduce(
    (n, row) => n + row.decisions,
    0,
  );
  byId("headline").textContent = found.is_in_order
    ? isBatch
      ? `Live is batch: ${number(compared, 0)} decisions, all identical`
      : "In order; nothing to compare yet"
    : "Something is amiss";
  byId("run").textContent =
    (found.runner ? `Run by process ${found.runner}` : "Not running") +
    `; ${number(found.decisions, 0)} decisions, ${number(found.late_decisions, 0)} of them late`;
  byId("faults").replaceChildren(...found.faults.map((text) => el("li", {}, text)));
  byId("faults").hidden = !found.faults.length;
}

function showAges(rows) {
  const symbols = [...new Set(rows.map((row) => row.symbol))].toSorted();
  const ages = (symbol) => rows.find((row) => row.symbol === symbol).ages;
  const names = [...new Set(rows.flatMap((row) => Object.keys(row.ages)))].toSorted();
  fillTable(
    "ages",
    [
      ["Input", (name) => name.replaceAll("_", " ")],
      ...symbols.map((symbol) => [
        symbol,
        (name) => number(ages(symbol)[name], 1),
        true,
      ]),
    ],
    names,
    "No decision was made yet.",
  );
}

function show(found) {
  byId("broken").hidden = !found.fault;
  byId("broken").textContent = found.fault ?? "";
  if (found.fault) return;
  showVerdict(found);
  const place = found.market.split("/");
  byId("market").textContent = place[place.length - 1];
  byId("lead").textContent =
    `${found.accounts.length} accounts since ${moment(found.opened_at)} · ` +
    `decided up to ${moment(found.decided_for)} · read at ${moment(found.at)}`;
  const minutes = (row) =>
    (Date.parse(row.next_decision) - Date.parse(found.at)) / 60_000;
  byId("accounts").replaceChildren(
    ...found.standings.map((row) => account(row, found.equity, minutes(row))),
  );
  if (!found.standings.length)
    byId("accounts").append(
      el("p", { class: "absence" }, "No decision was made yet: barsieve paper run."),
    );
  fillTable(
    "events",
    [
      ["Close (UTC)", (row) => moment(row.at)],
      ["Account", (row) => row.account],
      ["Symbol", (row) => row.symbol],
      ["Ordered, filled", (row) => row.text],
      ["", (row) => (row.is_late ? "late" : ""), false, () => "is-late"],
    ],
    found.events,
    "Nothing was ordered yet.",
  );
  fillTable(
    "alarms",
    [
      ["Time (UTC)", (row) => moment(row.at)],
      ["Alarm", (row) => row.kind.replaceAll("_", " ")],
      ["About", (row) => row.about],
      ["What happened", (row) => row.text],
      ["Meaning", (row) => row.meaning],
    ],
    found.alarms,
    "None.",
  );
  showAges(found.standings);
}

let version = "";

async function follow() {
  try {
    const answer = await fetch("/figures.json", {
      headers: version ? { "If-None-Match": version } : {},
    });
    if (answer.status === 200) {
      show(await answer.json());
      version = answer.headers.get("ETag") ?? "";
    }
    document.documentElement.dataset.ready = "yes";
  } catch (error) {
    byId("broken").hidden = false;
    byId("broken").textContent =
      `The server gives no answer (${error.message}); what is shown may be old.`;
    version = "";
  }
  setTimeout(follow, POLL_MS);
}

follow();
