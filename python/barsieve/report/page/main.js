// Theme, picker, printing; then the first drawing.

const systemIsDark = matchMedia("(prefers-color-scheme: dark)");

function stored() {
  // A page opened from a folder may have no storage.
  try {
    return localStorage.getItem("barsieve-theme");
  } catch {
    return null;
  }
}

function setTheme(theme) {
  document.documentElement.dataset.theme = theme;
  palette = null;
  redraw();
}

function toggleTheme() {
  const next = document.documentElement.dataset.theme === "dark" ? "light" : "dark";
  try {
    localStorage.setItem("barsieve-theme", next);
  } catch {
    /* as above */
  }
  setTheme(next);
}

let themeBeforePrint = null;

// Pixels of a page; the heights are those that the print style gives the charts.
function printSize(element) {
  const height = element.matches(".tall")
    ? 420
    : element.matches(".middle")
      ? 330
      : 210;
  return { width: element.closest(".grid") ? 325 : 690, height };
}

function beforePrint() {
  for (const details of document.querySelectorAll("details")) details.open = true;
  themeBeforePrint ??= document.documentElement.dataset.theme;
  setTheme("light");
  if (report.sections.price) refresh();
  for (const [id, one] of charts) {
    one.resize(printSize(byId(id)));
    // The printer does not wait for the next frame.
    one.getZr().refreshImmediately();
  }
}

function afterPrint() {
  if (themeBeforePrint === null) return;
  setTheme(themeBeforePrint);
  themeBeforePrint = null;
  fitAll();
}

async function start() {
  await inflate(byId("columns").textContent);
  recall();
  document.documentElement.dataset.theme =
    stored() ?? (systemIsDark.matches ? "dark" : "light");
  systemIsDark.addEventListener(
    "change",
    (event) => stored() ?? setTheme(event.matches ? "dark" : "light"),
  );
  byId("theme").addEventListener("click", toggleTheme);
  byId("profile").addEventListener("change", (event) =>
    choose(Number(event.target.value)),
  );
  addEventListener("beforeprint", beforePrint);
  addEventListener("afterprint", afterPrint);
  new ResizeObserver(() =>
    requestAnimationFrame(() => themeBeforePrint ?? fitAll()),
  ).observe(byId("main"));
  choose(state.profile, state.trade);
  if (state.trade !== null) pickTrade(state.trade, false);
  document.documentElement.dataset.ready = "yes";
}

start().catch((error) => {
  byId("broken").hidden = false;
  byId("broken").textContent =
    `This browser could not read the report: ${error.message}`;
  throw error;
});
