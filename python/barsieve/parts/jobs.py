"""Jobs of other rooms over the same engines: an answer to each task, or a refusal."""

import json
from collections.abc import Callable, Sequence
from typing import Any

from barsieve.core import paths
from barsieve.parts.digests import fingerprint
from barsieve.parts.driver import MEMORY, PartsFailedError
from barsieve.parts.engine import Engine
from barsieve.parts.task import code_of


def run_jobs(
    engine: Engine,
    tasks: Sequence[dict[str, Any]],
    told: Callable[[dict[str, Any]], None] = lambda said: None,
) -> list[dict[str, Any]]:
    """Run tasks on an engine; return what is said of each, in their order.

    `told` hears each answer as it comes. Raises PartsFailedError, when all have ended,
    where one failed.
    """
    kind = {
        "code": code_of(),
        "fingerprint": fingerprint(),
        "project": str(paths.project_dir()),
    }
    asked = [json.dumps({**task, **kind}) for task in tasks]
    found: list[dict[str, Any]] = [{} for _ in tasks]
    failed = []
    for answer in engine.run(asked, MEMORY):
        said = json.loads(answer.said) if answer.said else {"failed": answer.reason}
        if "failed" in said:
            node = f"node {said['node']}: " if "node" in said else ""
            failed.append(f"{node}{said['failed']}")
        else:
            found[answer.place] = said
            told(said)
    if failed:
        raise PartsFailedError(
            sorted(set(failed)), f"{len(failed)} of {len(tasks)} tasks failed"
        )
    return found
