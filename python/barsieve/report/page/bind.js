// Draws the charts that Python describes (barsieve/report/charts.py, docs/charts.md).

const FORMATS = { number, share, money, price, moment, day, words, hours };

const THEMED = /^var\(--(\w+)(?:, ([\d.]+))?\)$/;

function themed(text) {
  const [, name, opacity] = THEMED.exec(text) ?? [];
  if (!name) return text;
  const colour = colours()[name];
  return opacity ? seeThrough(colour, opacity) : colour;
}

const shown =
  ([name, ...rest]) =>
  (value) =>
    FORMATS[name](value, ...rest);

function tooltip({ value, titles }) {
  const show = shown(value.$show);
  return (pointed) => {
    const items = [pointed].flat();
    const [{ name, dataIndex }] = items;
    return tip(
      titles?.[dataIndex] ?? name,
      items.flatMap((one) => one.data?.told ?? [[one.seriesName, show(one.value)]]),
    );
  };
}

// What an option says of the page, in the place of what it stands for.
function bound(part) {
  if (typeof part === "string") return themed(part);
  if (Array.isArray(part)) return part.map(bound);
  if (part === null || typeof part !== "object") return part;
  if (part.$show) return shown(part.$show);
  if (part.$tip) return tooltip(part.$tip);
  if (part.$column) return column(part.$column);
  return Object.fromEntries(
    Object.entries(part).map(([name, inner]) => [name, bound(inner)]),
  );
}

// Charts by the ids of their places in the page.
function drawCharts(described) {
  for (const [id, { label, option, nothing: sentence }] of Object.entries(described)) {
    chartOrNothing(id, option, sentence, () => chart(id, label, bound(option)));
  }
}
