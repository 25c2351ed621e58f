// What all charts share: colours of the theme, tooltips, sizes. ECharts draws.

const charts = new Map();

let palette = null;

// The theme's colours, read from the style once per theme.
function colours() {
  palette ??= readColours();
  return palette;
}

function readColours() {
  const probe = el("span");
  document.body.append(probe);
  const named = {};
  for (const name of [
    "paper",
    "card",
    "ink",
    "muted",
    "line",
    "accent",
    "gain",
    "loss",
    "shade",
    "faint",
    "warn",
    "hue1",
    "hue2",
    "hue3",
    "hue4",
    "hue5",
    "hue6",
  ]) {
    probe.style.color = `var(--${name})`;
    named[name] = getComputedStyle(probe).color;
  }
  probe.remove();
  return named;
}

function seeThrough(colour, opacity) {
  return colour.replace(/^rgb\((.*)\)$/, `rgba($1, ${opacity})`);
}

// A tooltip is made of nodes, so that a name with markup in it stays a name.
function tip(title, rows) {
  return el(
    "div",
    { class: "tip" },
    el("strong", {}, title),
    ...rows.map(([name, value]) =>
      el("div", {}, el("span", {}, name), el("b", {}, value)),
    ),
  );
}

const textStyle = () => ({
  fontFamily: getComputedStyle(document.body).fontFamily,
  fontSize: 12,
});

function chart(id, label, option, renderer = "svg") {
  const element = byId(id);
  element.setAttribute("aria-label", label);
  if (!charts.has(id)) {
    charts.set(id, echarts.init(element, null, { renderer }));
  }
  const c = colours();
  charts.get(id).setOption(
    {
      useUTC: true,
      animation: false,
      textStyle: { ...textStyle(), color: c.ink },
      aria: { enabled: false },
      ...option,
      legend: option.legend && {
        textStyle: { color: c.muted },
        itemWidth: 12,
        itemHeight: 8,
        icon: "roundRect",
        type: "scroll",
        right: 0,
        left: "center",
        padding: 2,
        pageIconColor: c.muted,
        pageIconInactiveColor: c.line,
        pageTextStyle: { color: c.muted },
        top: 0,
        ...option.legend,
      },
      tooltip: {
        confine: true,
        backgroundColor: c.card,
        borderColor: c.line,
        textStyle: { ...textStyle(), color: c.ink },
        ...option.tooltip,
      },
    },
    { notMerge: true },
  );
  return charts.get(id);
}

// A chart without anything to show says so, in words.
function nothing(id, sentence) {
  charts.get(id)?.dispose();
  charts.delete(id);
  byId(id).setAttribute("aria-label", sentence);
  fill(id, el("p", { class: "empty" }, sentence));
  return null;
}

function chartOrNothing(id, hasAny, sentence, draw) {
  if (!hasAny) return nothing(id, sentence);
  if (!charts.has(id)) byId(id).replaceChildren();
  return draw();
}

// Only where the size has changed: a chart that is drawn anew is costly.
function fitAll() {
  for (const [id, one] of charts) {
    const { clientWidth, clientHeight } = byId(id);
    if (!clientWidth) continue;
    if (one.getWidth() === clientWidth && one.getHeight() === clientHeight) continue;
    one.resize({ width: "auto", height: "auto" });
  }
}
