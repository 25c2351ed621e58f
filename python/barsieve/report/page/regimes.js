// Places for the regimes: a ribbon under the price, and the section's own charts.

// A series of the third grid of the price chart, or null where there is no regime.
function ribbonOf() {
  return null;
}

section("regimes", () => {});
