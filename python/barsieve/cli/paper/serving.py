"""`barsieve paper serve`: the page that follows paper trading."""

from datetime import UTC, datetime
from typing import Annotated

import typer

from barsieve.cli.output import REFUSED, fail, out, refusing
from barsieve.cli.paper.places import live_folder
from barsieve.core import paths


def serve(
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="Port; 0 takes one that is free.")
    ] = 8765,
) -> None:
    """Serve a page that follows the paper accounts, on this machine alone.

    It shows what paper status does, with equity and the last orders, and follows each
    swap of the database. It writes nothing, loads nothing from any network, and
    answers 127.0.0.1 and localhost only.

    Example: barsieve paper serve --port 8765
    """
    with refusing(REFUSED):
        from barsieve.live.accounts import needed_accounts
        from barsieve.live.page.server import HOST, server
        from barsieve.live.page.view import Viewer

        folder = live_folder()
        needed_accounts(folder)
        viewer = Viewer(folder, paths.database_file(), lambda: datetime.now(UTC))
        try:
            made, opened = server(viewer, port)
        except OSError as error:
            message = f"port {port}: {error.strerror or error}; choose another: --port"
            raise fail(message, REFUSED) from None
    address = f"http://{HOST}:{opened.getsockname()[1]}/"
    out.print(f"{address} (Ctrl-C ends it)", markup=False, highlight=False)
    made.run(sockets=[opened])
