// A place for the regimes: the section's own charts, and a ribbon under the price.

// The series that the price chart draws in its third grid, xAxisIndex and yAxisIndex 2,
// values from 0 to 1: say a line without points whose markArea colours the regimes. Null
// leaves the grid out.
function ribbonOf() {
  return null;
}

section("regimes", () => {
  const { rows } = report.sections.regimes;
  byId("regimes-body").textContent =
    `The table regimes has ${number(rows)} rows; this version of the report does not draw them.`;
});
