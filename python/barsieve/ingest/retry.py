"""Retries and their waits: what a source asks for, or doubling."""

import email.utils
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeVar
from urllib.parse import urlsplit

from barsieve.core.errors import BarsieveError
from barsieve.core.extras import needed

Answer = TypeVar("Answer")

# A source that wants us gone for longer is better asked another time.
LONGEST_REQUESTED_WAIT = 900.0
PASSING_STATUS = frozenset({408, 418, 425, 429, 500, 502, 503, 504, 520, 522, 524})


class SourceError(BarsieveError):
    """A source that did not answer, or not as it should; the message says which."""


class PassingError(SourceError):
    """A fault that may pass: worth asking again, after `wait` seconds if stated."""

    def __init__(self, message: str, wait: float | None = None):
        """Keep the wait that the source asked for."""
        asked = f"; asks us to wait {wait:g} s" if wait else ""
        super().__init__(message + asked)
        self.wait = wait


def requested_wait(headers: Mapping[str, str] | None) -> float | None:
    """Return the seconds of a Retry-After header: a number, or a date after `Date`."""
    headers = {key.lower(): value for key, value in (headers or {}).items()}
    text = headers.get("retry-after", "")
    if text.strip().isdigit():
        return float(text)
    try:
        until = email.utils.parsedate_to_datetime(text)
        since = email.utils.parsedate_to_datetime(headers.get("date", ""))
    except (TypeError, ValueError):
        return None
    return max(0.0, (until - since).total_seconds())


@dataclass(frozen=True)
class Patience:
    """Tries in all, seconds before the second one (doubling), the most of them.

    `timeout` is how long one answer may take, in seconds. `notice` is told of each
    fault that may pass.
    """

    tries: int = 6
    first_wait: float = 1.0
    longest_wait: float = 60.0
    timeout: float = 30.0
    notice: Callable[[BaseException], None] | None = None

    def _wait(self, state: Any) -> float:
        doubled = min(
            self.first_wait * 2 ** (state.attempt_number - 1), self.longest_wait
        )
        wanted = getattr(state.outcome.exception(), "wait", None)
        return max(doubled, wanted or 0.0)

    def ask(self, question: Callable[[], Answer]) -> Answer:
        """Ask until there is an answer; raise the last PassingError when there is none.

        Raises SourceError at once for a fault that will not pass, and for a source that
        asks for a wait of more than a quarter of an hour.
        """
        tenacity = needed("tenacity", "ingest")

        def told(state: Any) -> None:
            if self.notice:
                self.notice(state.outcome.exception())

        asked = tenacity.Retrying(
            stop=tenacity.stop_after_attempt(self.tries),
            wait=self._wait,
            retry=tenacity.retry_if_exception(_may_pass),
            before_sleep=told,
            reraise=True,
        )
        return asked(question)


def _may_pass(error: BaseException) -> bool:
    return (
        isinstance(error, PassingError) and (error.wait or 0) <= LONGEST_REQUESTED_WAIT
    )


def get(
    patience: Patience,
    url: str,
    parse: Callable[[Any], Answer],
    params: dict[str, Any] | None = None,
    headers: dict[str, str] | None = None,
) -> Answer:
    """Return the parsed answer to a GET request.

    `parse` gets the response; a ValueError of its counts as a damaged answer. Messages
    name the address without its parameters: one of them may be a key.
    """
    requests = needed("requests", "ingest")

    def ask_once() -> Answer:
        try:
            response = requests.get(
                url, params=params, headers=headers, timeout=patience.timeout
            )
        except requests.RequestException as error:
            raise PassingError(f"{url}: {_kind_of(error)}") from None
        if response.status_code in PASSING_STATUS:
            raise PassingError(
                f"{url}: status {response.status_code}",
                requested_wait(response.headers),
            )
        if response.status_code >= 400:
            said = " ".join(response.text.split())[:200]
            raise SourceError(f"{url}: status {response.status_code}: {said}")
        try:
            return parse(response)
        except ValueError as error:
            raise PassingError(f"{url}: a damaged answer ({error})") from None

    return patience.ask(ask_once)


def post(patience: Patience, url: str, document: Any) -> None:
    """Send a document as JSON in a POST request.

    Raises SourceError where nobody takes it. Messages name the host alone: the rest of
    the address may be a key.
    """
    requests = needed("requests", "ingest")
    host = urlsplit(url).hostname or "the address"

    def send_once() -> None:
        try:
            response = requests.post(url, json=document, timeout=patience.timeout)
        except requests.RequestException as error:
            raise PassingError(f"{host}: {_kind_of(error)}") from None
        if response.status_code in PASSING_STATUS:
            wait = requested_wait(response.headers)
            raise PassingError(f"{host}: status {response.status_code}", wait)
        if response.status_code >= 400:
            raise SourceError(f"{host}: status {response.status_code}")

    patience.ask(send_once)


def _kind_of(error: Exception) -> str:
    name = type(error).__name__
    return "timed out" if "Timeout" in name else f"no answer ({name})"


def from_millis(millis: float) -> datetime:
    """Return a time from milliseconds since 1970."""
    return datetime.fromtimestamp(millis / 1000, UTC)
