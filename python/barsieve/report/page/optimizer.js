section("optimizer", () => {
  const { rows } = report.sections.optimizer;
  byId("optimizer-body").textContent =
    `The table fusion_learned has ${number(rows)} rows; this version of the report does not draw them.`;
});
