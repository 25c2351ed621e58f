"""Engine of a Ray cluster: a local one, or one that runs.

Tasks only: no actor, no object that must survive. What was lost with a process or a
node is asked for again, an exception never. Every connection asks for the token; a
local cluster has one of its own, and listens on the loopback address.
"""

import os
import re
import secrets
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from threading import Thread
from typing import Any

from barsieve.core.errors import refuse
from barsieve.parts.engine import MOST_TRIES, Answer

PATIENCE_SECONDS = 30
"""Seconds until a head that does not answer is taken for dead."""
LOOPBACK = "127.0.0.2" if sys.platform == "linux" else "127.0.0.1"
"""Ray takes 127.0.0.1 for another address of the machine."""
OBJECTS = 80_000_000
MODE, TOKEN, TOKEN_PATH = "RAY_AUTH_MODE", "RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH"
HOME_TOKEN = Path("~/.ray/auth_token")


def _import() -> Any:
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    # A busy machine takes longer than the ten seconds that Ray gives it.
    os.environ.setdefault("RAY_raylet_start_wait_time_s", "60")
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    try:
        import ray
    except ImportError:
        refuse(
            "--on ray",
            expected="Ray, which the extra 'cluster' brings",
            found="none",
            fix="pip install 'barsieve[cluster]', on every node",
        )
    return ray


def _refuse_open(address: str) -> None:
    """Refuse a cluster that would let anybody in: whoever reaches it runs code."""
    has_token = os.environ.get(TOKEN) or os.environ.get(TOKEN_PATH)
    if not has_token and not HOME_TOKEN.expanduser().exists():
        refuse(
            f"--on ray:{address}",
            f"variable {TOKEN_PATH}",
            expected="the file of the cluster's token, which all nodes have",
            found="none",
            fix=f"{MODE}=token and {TOKEN_PATH}=FILE, here and before each ray start",
        )


def _say_nothing(*_: Any, **__: Any) -> None:
    """Take what Ray would print."""


class Ray:
    """A Ray cluster. `address`: HOST:PORT of its head, or None for a local one."""

    name = "ray"

    def __init__(self, address: str | None = None, jobs: int | None = None):
        """Connect; `jobs`: processes of a local cluster, or all cores.

        Raises InputError where there is no Ray, no token or no answer.
        """
        self._own_token: str | None = None
        if address:
            _refuse_open(address)
        else:
            self._make_token()
        os.environ[MODE] = "token"
        self._ray = _import()
        options: dict[str, Any] = (
            {"address": address}
            if address
            else {
                "address": "local",
                "num_cpus": jobs,
                "include_dashboard": False,
                "object_store_memory": OBJECTS,
                "_node_ip_address": LOOPBACK,
            }
        )
        self._connect(address or "local", options)
        # Ray tells of a node that ended on standard output, where an answer in JSON
        # may be; which symbols are asked for again is told as progress.
        self._ray._private.worker.print_to_stdstream = _say_nothing
        self._task = self._ray.remote(
            num_cpus=1, max_retries=0, retry_exceptions=False
        )(run_task)

    def _make_token(self) -> None:
        folder = Path(tempfile.mkdtemp(prefix="barsieve-ray-"))
        path = folder / "token"
        path.write_text(secrets.token_hex(32))
        path.chmod(0o600)
        self._own_token = str(path)
        os.environ.pop(TOKEN, None)
        os.environ[TOKEN_PATH] = str(path)

    def _connect(self, told: str, options: dict[str, Any]) -> None:
        failed: list[BaseException] = []

        def connect() -> None:
            try:
                self._ray.init(log_to_driver=False, logging_level="ERROR", **options)
            except BaseException as error:
                failed.append(error)

        thread = Thread(target=connect, daemon=True)
        if self._own_token:
            # Its processes end with the thread that started them.
            connect()
        else:
            # A head that is gone is waited for without an end.
            thread.start()
            thread.join(PATIENCE_SECONDS)
        if thread.is_alive() or failed:
            said = str(failed[0]).strip().splitlines()[:1] if failed else []
            refuse(
                f"--on ray:{told}",
                expected="a cluster that answers",
                found=said[0] if said else f"no answer in {PATIENCE_SECONDS} s",
                fix="ray status on its head; the token, Ray and Python must be the "
                "same here and there",
            )

    @property
    def slots(self) -> int:
        """Return how many tasks run at once: the cores of the cluster."""
        return max(1, int(self._ray.cluster_resources().get("CPU", 1)))

    def run(self, tasks: Sequence[str], memory: int) -> Iterator[Answer]:
        """Yield the answer to each task as it comes."""
        asked = self._task.options(memory=memory)
        pending = {asked.remote(task): (nth, 1) for nth, task in enumerate(tasks)}
        try:
            while pending:
                (ready, *_), _ = self._ray.wait(list(pending), num_returns=1)
                place, tries = pending.pop(ready)
                answer = self._answer(place, tries, ready)
                if answer is None:
                    pending[asked.remote(tasks[place])] = (place, tries + 1)
                else:
                    yield answer
        finally:
            for reference in pending:
                with suppress(Exception):
                    self._ray.cancel(reference, force=True)

    def _answer(self, place: int, tries: int, reference: Any) -> Answer | None:
        """Return an answer; None where it was lost and is to be asked for again."""
        errors = self._ray.exceptions
        try:
            return Answer(place, self._ray.get(reference), tries)
        except errors.RayTaskError as error:
            # An exception of ours is an answer; this one says that there is no package.
            lines = str(error).strip().splitlines()
            node = re.search(r"ip=([\d.]+)", lines[0])
            told = f"node {node[1]}: " if node else ""
            return Answer(place, None, tries, told + lines[-1])
        except errors.RayError as error:
            if tries < MOST_TRIES:
                return None
            lines = [line.strip() for line in str(error).splitlines() if line.strip()]
            return Answer(place, None, tries, f"lost {tries} times: {lines[0]}")

    def close(self) -> None:
        """Leave the cluster; a local one ends."""
        self._ray.shutdown()
        if self._own_token:
            Path(self._own_token).unlink(missing_ok=True)
            Path(self._own_token).parent.rmdir()
            os.environ.pop(TOKEN_PATH, None)


def run_task(task: str) -> str:
    """Run a task on a node; return its answer."""
    import ray

    from barsieve.parts.task import NODE, work

    os.environ.setdefault(NODE, str(ray.util.get_node_ip_address()))  # type: ignore[no-untyped-call]
    return work(task)
