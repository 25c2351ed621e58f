"""Messages about what was said: made of the journal and the alarms, sent apart.

They follow the swap of the file. A thread of their own sends them, in their order; the
hour waits for none. What was sent is kept, so a restart sends the rest.
"""

import json
import shlex
import subprocess
from collections.abc import Callable, Iterator
from queue import Empty, Queue
from threading import Thread
from typing import Any, NamedTuple

from barsieve.ingest.retry import Patience, SourceError, get, post
from barsieve.live.alarms import Alarms
from barsieve.live.folder import LiveFolder
from barsieve.live.journal import Journal, Said

# An hour after which a decision is none of now: with more hours than this, a digest.
MOST_HOURS_TOLD = 1
HOOK_SECONDS = 10.0

Message = dict[str, Any]


class Ways(NamedTuple):
    """Ways out: a command that gets JSON, an address to post it to, one to ping."""

    hook: str | None = None
    webhook: str | None = None
    ping: str | None = None


def is_news(one: Said) -> bool:
    """Tell whether something was ordered or filled at a decision."""
    decision = one.decision
    is_ordered = decision["action"] not in ("stay flat", "hold")
    return is_ordered or bool(decision["filled"])


def in_words(one: Said) -> str:
    """Return a decision in a line."""
    decision, order = one.decision, one.decision["order"]
    text: str = f"{one.account} {one.symbol} {one.known_at:%Y-%m-%d %H:%M}: "
    done = [
        f"{leg['kind']} {leg['qty']:.6g} at {leg['price']:.10g}"
        + (f" ({leg['reason']})" if leg["reason"] else "")
        for leg in decision["filled"]
    ]
    text += f"filled {', '.join(done)}; " if done else ""
    text += decision["action"]
    if order:
        text += (
            f", {order['qty']:.6g} at about {order['assumed_open']:.10g}, stop "
            f"{order['stop']:.10g}"
        )
    return f"{text}; balance {decision['balance']:,.2f} USD"


def _of_lines(lines: list[Said]) -> Iterator[Message]:
    """Yield the messages of decisions: one an hour, or a digest of many hours."""
    hours = sorted({one.known_at for one in lines})
    news = [one for one in lines if is_news(one)]
    if len(hours) > MOST_HOURS_TOLD:
        words = [in_words(one) for one in news]
        yield {
            "kind": "digest",
            "from": hours[0].isoformat(),
            "to": hours[-1].isoformat(),
            "text": f"caught up {len(hours)} hours: {len(lines)} decisions, "
            f"{len(news)} with an order or a fill",
            "decisions": words,
        }
    elif news:
        yield {
            "kind": "decisions",
            "at": hours[0].isoformat(),
            "text": "; ".join(in_words(one) for one in news),
            "decisions": [one.decision | {"account": one.account, "symbol": one.symbol}
                          for one in news],
        }  # fmt: skip


class Messenger:
    """The sender of messages: a thread with a queue."""

    def __init__(self, folder: LiveFolder, ways: Ways, patience: Patience):
        """Begin to send; what was sent before is known from the folder."""
        self._folder, self._ways, self._patience = folder, ways, patience
        told = folder.read(folder.told) or {}
        self._lines, self._alarms = told.get("lines", 0), told.get("alarms", 0)
        self._queue: Queue[tuple[list[Message], tuple[int, int], bool] | None] = Queue()
        self._failed: Queue[tuple[str, str]] = Queue()
        self._thread = Thread(target=self._work, daemon=True)
        self._thread.start()

    def tell(self, journal: Journal, alarms: Alarms, is_ping: bool = True) -> None:
        """Send what is in journal and alarms and was not sent; wait for nothing."""
        self._ring_failed(alarms)
        lines, notes = journal.lines, alarms.notes.lines
        messages = [
            {name: note[name] for name in ("kind", "about", "text", "at")}
            | {"kind": "alarm", "alarm": note["kind"]}
            for note in notes[self._alarms :]
        ]
        messages += _of_lines(lines[self._lines :])
        self._lines, self._alarms = len(lines), len(notes)
        self._queue.put((messages, (self._lines, self._alarms), is_ping))

    def _ring_failed(self, alarms: Alarms) -> None:
        while True:
            try:
                way, text = self._failed.get_nowait()
            except Empty:
                return
            alarms.ring("undelivered", way, text, text)

    def close(self, seconds: float) -> None:
        """End; what is not sent after so long is left to the next run."""
        self._queue.put(None)
        self._thread.join(seconds)

    def _work(self) -> None:
        while True:
            asked = self._queue.get()
            if asked is None:
                return
            messages, counts, is_ping = asked
            for message in messages:
                self._send(message)
            if is_ping and self._ways.ping:
                self._try("ping", self._ping)
            told = {"lines": counts[0], "alarms": counts[1]}
            self._folder.write(self._folder.told, told)

    def _send(self, message: Message) -> None:
        if self._ways.hook:
            self._try("hook", lambda: self._call(message))
        if url := self._ways.webhook:
            self._try("webhook", lambda: post(self._patience, url, message))

    def _try(self, way: str, send: Callable[[], object]) -> None:
        try:
            send()
        except (SourceError, OSError, subprocess.SubprocessError, ValueError) as error:
            self._failed.put((way, f"{type(error).__name__}: {error}"[:300]))

    def _call(self, message: Message) -> None:
        command = shlex.split(self._ways.hook or "")
        text = json.dumps(message, default=str)
        subprocess.run(
            command, input=text, text=True, timeout=HOOK_SECONDS, check=True,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip

    def _ping(self) -> None:
        get(self._patience, self._ways.ping or "", lambda response: None)
