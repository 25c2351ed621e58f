// Draws the charts that Python describes (barsieve/report/charts.py, docs/charts.md).

const FORMATS = { number, share, money, price, moment, day, dayAt, words, hours };

const THEMED = /^var\(--(\w+)(?:, ([\d.]+))?\)$/;

function themed(text) {
  const [, name, opacity] = THEMED.exec(text) ?? [];
  if (!name) return text;
  const colour = colours()[name];
  return opacity ? seeThrough(colour, opacity) : colour;
}

function shown({ $show, $pick }) {
  if ($pick) return (place) => $pick[place];
  const [name, ...rest] = $show;
  return (value) => FORMATS[name](value, ...rest);
}

// A point has a place and a value.
const amount = ({ value }) => (Array.isArray(value) ? value[1] : value);

function tooltip({ value, titles, by_series: bySeries, is_over_time: isOverTime }) {
  const show = (one) => shown(bySeries[one.seriesName] ?? value)(amount(one));
  return (pointed) => {
    const items = [pointed].flat();
    const [first] = items;
    return tip(
      isOverTime
        ? `${moment(first.value[0] / 1000)} UTC`
        : (titles?.[first.dataIndex] ?? first.name),
      items.flatMap((one) => one.data?.told ?? [[one.seriesName, show(one)]]),
    );
  };
}

function tooltipOfValues({ title, values, lines }) {
  return ({ value }) => {
    const texts = values.map((format, k) => shown(format)(value[k]));
    return tip(
      title.replace(/\{(\d)\}/g, (_, k) => texts[k]),
      Object.entries(lines).map(([name, k]) => [name, texts[k]]),
    );
  };
}

function rowsOf({ columns, only, without }) {
  const read = columns.map(column);
  const row = (k) => read.map((values) => (isNumber(values[k]) ? values[k] : null));
  if (only !== null) return [row(only)];
  return Array.from(read[0], (_, k) => k)
    .filter((k) => k !== without)
    .map(row);
}

// What an option says of the page, in the place of what it stands for.
function bound(part) {
  if (typeof part === "string") return themed(part);
  if (Array.isArray(part)) return part.map(bound);
  if (part === null || typeof part !== "object") return part;
  if (part.$show || part.$pick) return shown(part);
  if (part.$tip) return tooltip(part.$tip);
  if (part.$values) return tooltipOfValues(part.$values);
  if (part.$rows) return rowsOf(part.$rows);
  return Object.fromEntries(
    Object.entries(part).map(([name, inner]) => [name, bound(inner)]),
  );
}

// Charts by the ids of their places in the page.
function drawCharts(described) {
  for (const [id, one] of Object.entries(described)) {
    const caption = byId(`${id}-caption`);
    if (caption) caption.textContent = one.caption ?? "";
    chartOrNothing(id, one.option, one.nothing, () =>
      chart(id, one.label, bound(one.option), one.renderer),
    );
  }
}
