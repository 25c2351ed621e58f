section("sweep", () => {});
