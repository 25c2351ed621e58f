"""`barsieve paper run` and `stop`: the clock of paper trading."""

import os
import signal
import time
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from barsieve.cli.ingest.exchanges import read_options
from barsieve.cli.ingest.options import ExchangeOptions
from barsieve.cli.ingest.run import split
from barsieve.cli.output import REFUSED, err, fail, out, refusing
from barsieve.cli.paper.places import SystemClock, live_folder
from barsieve.core import paths

if TYPE_CHECKING:
    from barsieve.live.hour import Hour, Paper, Settings

STOP_SECONDS = 60.0


def _settings(
    exchange: str | None,
    quote: str,
    options: Path | None,
    patience: float,
    macro: str,
    ways: Any,
) -> "Settings":
    from barsieve.live.daily import SOURCES, Daily
    from barsieve.live.hour import Settings, usual_patience
    from barsieve.live.reading import Venue, venue_of

    sources = tuple(split(macro))
    _refuse_unknown(sources, SOURCES)
    folder, asking = live_folder(), usual_patience()
    name = exchange or venue_of(folder.market)
    return Settings(
        folder=folder,
        database=paths.database_file(),
        configs=paths.project_dir() / paths.configs_dir(),
        seed=paths.macro_series_seed(),
        venue=Venue(name, quote, read_options(options), asking),
        patience=timedelta(seconds=patience),
        daily=Daily(sources, {}, asking),
        ways=ways,
    )


def _refuse_unknown(sources: tuple[str, ...], known: tuple[str, ...]) -> None:
    from barsieve.core.errors import refuse

    if unknown := [name for name in sources if name not in known]:
        refuse(
            f"--macro {','.join(unknown)}",
            expected=f"some of {', '.join(known)}",
            found=", ".join(unknown),
            fix="leave it out; files come in with barsieve ingest files",
        )


def _print_hour(done: "Hour") -> None:
    from barsieve.live.messages import in_words, is_news

    close = f"{done.close:%Y-%m-%d %H:%M}"
    if done.failure:
        err.print(f"{close}: {done.failure}", markup=False, highlight=False)
        return
    told = f"{len(done.said)} decisions"
    if done.missing:
        told += f", without {', '.join(done.missing)}"
    out.print(f"{close}  {told}", markup=False, highlight=False, soft_wrap=True)
    for one in done.said:
        if is_news(one):
            out.print(f"  {in_words(one)}", markup=False, highlight=False)


class _Printing:
    """Paper trading whose hours are printed."""

    def __init__(self, paper: "Paper"):
        self._paper, self._do = paper, paper.do

    def __call__(self) -> "Hour":
        done = self._do()
        _print_hour(done)
        return done


def run(
    once: Annotated[
        bool, typer.Option("--once", help="Do the last hour and end, as for cron.")
    ] = False,
    exchange: Annotated[
        str | None,
        typer.Option(help="Its id in ccxt; default: where the bars came from."),
    ] = None,
    quote: Annotated[str, typer.Option(help="Currency of the price.")] = "USDT",
    exchange_options: ExchangeOptions = None,
    patience: Annotated[
        float,
        typer.Option(min=0, help="Seconds after a close to wait for what is due."),
    ] = 300.0,
    macro: Annotated[
        str,
        typer.Option(help="Sources to follow: fred, yahoo, coingecko, open-interest."),
    ] = "",
    hook: Annotated[
        str | None, typer.Option(help="Command that gets each message, JSON.")
    ] = None,
    webhook: Annotated[
        str | None,
        typer.Option(envvar="BARSIEVE_WEBHOOK", help="Address to post messages to."),
    ] = None,
    ping: Annotated[
        str | None,
        typer.Option(envvar="BARSIEVE_PING", help="Address to ask for each hour."),
    ] = None,
) -> None:
    """Follow the market: at each close read, advance, write down, tell.

    It waits for the close and for what is due, brings the built database to the end of
    the market, writes each decision into live/decisions.jsonl of the market before the
    database is swapped, and tells hook and webhook after. Stopped or killed at any
    moment it goes on where it was. No order is ever sent.

    Example: barsieve paper run --macro fred,yahoo --hook ./tell.sh
    """
    from barsieve.live.messages import Ways

    signal.signal(signal.SIGTERM, _stop)
    with refusing(REFUSED):
        from barsieve.live.hour import Paper

        settings = _settings(
            exchange, quote, exchange_options, patience, macro,
            Ways(hook, webhook, ping),
        )  # fmt: skip
        with settings.folder.running():
            paper = Paper(settings, SystemClock())
            paper.do = _Printing(paper)  # type: ignore[method-assign]
            try:
                if once and paper.do().failure:
                    raise typer.Exit(REFUSED)
                if not once:
                    paper.go_on(lambda: False)
            except KeyboardInterrupt:
                out.print("stopped; positions stay as they are", highlight=False)
            finally:
                paper.close()


def _stop(*_: Any) -> None:
    raise KeyboardInterrupt


def stop() -> None:
    """Stop the paper trading of this market; positions stay as they are.

    Whoever starts it again goes on where it was.

    Example: barsieve paper stop
    """
    with refusing(REFUSED):
        folder = live_folder()
    process = folder.runner()
    if process is None:
        raise fail(f"{folder.market}: no paper run is at work", REFUSED)
    os.kill(process, signal.SIGTERM)
    until = time.monotonic() + STOP_SECONDS
    while folder.runner() == process:
        if time.monotonic() > until:
            raise fail(f"process {process} has not ended in time", REFUSED)
        time.sleep(0.1)
    out.print(f"stopped process {process}; positions stay as they are")
