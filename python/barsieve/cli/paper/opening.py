"""`barsieve paper open`: a paper account made of a profile."""

from datetime import UTC, datetime
from typing import Annotated

import typer

from barsieve.cli.output import REFUSED, AsJson, out, print_json, refusing
from barsieve.cli.paper.places import live_folder, market_symbols
from barsieve.core import paths


def open_(
    profile: Annotated[str, typer.Argument(help="Profile: its name or its file.")],
    name: Annotated[
        str, typer.Option("--as", help="Name of the account, and of its profile.")
    ],
    as_json: AsJson = False,
) -> None:
    """Open a paper account: a copy of a profile whose study begins now.

    It is a profile like any other, a file in the configs, and keeps its settings
    whatever becomes of the one it was copied from. It decides from the next close on.
    Nothing is sent to an exchange, now or later.

    Example: barsieve paper open btc_live --as btc_paper
    """
    with refusing(REFUSED):
        from barsieve.core.model_lists import model_lists
        from barsieve.live.accounts import open_account

        configs = paths.project_dir() / paths.configs_dir()
        opened, path = open_account(
            live_folder(), configs, profile, name, datetime.now(UTC),
            market_symbols(), model_lists(),
        )  # fmt: skip
    if as_json:
        print_json({"written_to": str(path), **opened._asdict()})
        return
    out.print(
        f"{name} is open since {opened.opened_at:%Y-%m-%d %H:%M} UTC, as {profile} is "
        f"now: {path}\nbarsieve build makes its tables; then barsieve paper run",
        markup=False, highlight=False, soft_wrap=True,
    )  # fmt: skip
