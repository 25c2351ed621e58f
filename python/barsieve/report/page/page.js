// Elements, the state of the page, and the sections that redraw with it.

const report = JSON.parse(document.getElementById("document").textContent);
const state = { profile: 0, trade: null };
const drawings = [];

const byId = (id) => document.getElementById(id);

// Text stays text: children are nodes or become text nodes, never markup.
function el(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value !== null && value !== undefined && value !== false) {
      element.setAttribute(name, value === true ? "" : value);
    }
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

function fill(id, ...children) {
  byId(id).replaceChildren(...children.filter((child) => child !== null));
}

// Columns are [heading, cell of a row, is it a number, class of a cell].
function fillTable(id, columns, rows, attributes = () => ({})) {
  const head = el(
    "tr",
    {},
    ...columns.map(([title, , isRight]) =>
      el("th", { scope: "col", class: isRight ? "n" : null }, title),
    ),
  );
  const body = rows.map((row) =>
    el(
      "tr",
      attributes(row),
      ...columns.map(([, cell, isRight, tone]) =>
        el(
          "td",
          {
            class: [isRight ? "n" : "", tone ? tone(row) : ""].join(" ").trim() || null,
          },
          cell(row),
        ),
      ),
    ),
  );
  fill(id, el("thead", {}, head), el("tbody", {}, ...body));
}

const tone = (value) => (value > 0 ? "gain" : value < 0 ? "loss" : "");

const profile = () => report.profiles[state.profile];
const isWhole = () => profile().symbol === "*";
const isAlone = () => profile().n_symbols === 1;
const of = (key) => report.sections[key]?.profiles?.[state.profile];

function section(key, draw) {
  drawings.push({ key, draw });
}

// What a section says in its own place where it has nothing to show of an entry.
const absenceOf = (key) => of(key)?.absence ?? null;

function redraw() {
  for (const { key, draw } of drawings) {
    if (!report.sections[key]) continue;
    const absence = absenceOf(key);
    const [said] = byId(key).querySelectorAll("[data-absence]");
    const [drawn] = byId(key).querySelectorAll("[data-shown]");
    said.textContent = absence ?? "";
    said.hidden = absence === null;
    // A chart that is not shown has no size to be drawn in.
    drawn.hidden = absence !== null;
    if (absence === null) draw();
  }
}

function choose(index, trade = null) {
  state.profile = index;
  state.trade = trade;
  byId("profile").value = String(index);
  byId("shown").textContent = `${profile().profile} (${profile().title})`;
  remember();
  redraw();
}

function remember() {
  const parts = new URLSearchParams({ profile: profile().profile });
  if (!isWhole() && !isAlone()) parts.set("symbol", profile().symbol);
  if (state.trade !== null) parts.set("trade", state.trade);
  history.replaceState(null, "", `#${parts}`);
}

// The address may name a profile, a symbol and a trade: a finding can be passed on.
function recall() {
  const asked = new URLSearchParams(location.hash.slice(1));
  const index = report.profiles.findIndex(
    (one) =>
      one.profile === asked.get("profile") &&
      (!asked.has("symbol") || one.symbol === asked.get("symbol")),
  );
  state.profile = Math.max(0, index);
  state.trade =
    index >= 0 && /^\d+$/.test(asked.get("trade") ?? "")
      ? Number(asked.get("trade"))
      : null;
}
