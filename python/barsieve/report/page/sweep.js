section("sweep", () => {
  const { rows } = report.sections.sweep;
  byId("sweep-body").textContent =
    `The table sweep_results has ${number(rows)} rows; this version of the report does not draw them.`;
});
