// Theme, picker, printing; then the first drawing.

const systemIsDark = matchMedia("(prefers-color-scheme: dark)");

function stored() {
  // A page opened from a folder may have no storage.
  try { return localStorage.getItem("barsieve-theme"); } catch { return null; }
}

function setTheme(theme) {
  document.documentElement.dataset.theme = theme;
  redraw();
}

function toggleTheme() {
  const next = document.documentElement.dataset.theme === "dark" ? "light" : "dark";
  try { localStorage.setItem("barsieve-theme", next); } catch { /* as above */ }
  setTheme(next);
}

let themeBeforePrint = null;

function beforePrint() {
  themeBeforePrint ??= document.documentElement.dataset.theme;
  setTheme("light");
  for (const [id, one] of charts) one.resize({ width: Math.min(680, byId(id).clientWidth) });
}

function afterPrint() {
  if (themeBeforePrint === null) return;
  setTheme(themeBeforePrint);
  themeBeforePrint = null;
  resizeAll();
}

async function start() {
  await inflate(byId("columns").textContent);
  recall();
  document.documentElement.dataset.theme = stored() ?? (systemIsDark.matches ? "dark" : "light");
  systemIsDark.addEventListener("change", (event) => stored() ?? setTheme(event.matches ? "dark" : "light"));
  byId("theme").addEventListener("click", toggleTheme);
  byId("profile").addEventListener("change", (event) => choose(Number(event.target.value)));
  addEventListener("beforeprint", beforePrint);
  addEventListener("afterprint", afterPrint);
  new ResizeObserver(() => requestAnimationFrame(() => resizeAll())).observe(byId("main"));
  choose(state.profile, state.trade);
  document.documentElement.dataset.ready = "yes";
}

start().catch((error) => {
  byId("broken").hidden = false;
  byId("broken").textContent = `This browser could not read the report: ${error.message}`;
  throw error;
});
