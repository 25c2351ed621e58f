section("optimizer", () => {});
