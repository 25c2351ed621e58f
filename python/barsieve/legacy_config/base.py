"""The profile that gives a migration what the old file lacks."""

from pathlib import Path

from barsieve import project
from barsieve.check_configs import check_profile, read_json
from barsieve.legacy_config.migrate import Base
from barsieve.problems import InputError, Problem

# Its settings are those that the legacy system fell back to, and its threshold is the
# most careful of the shipped ones.
DEFAULT_BASE = "eth_live_conservative"


def find_profile(name: str) -> Path:
    """Return the file of a profile, given as a path or by the name it has in configs.

    Raises InputError when there is none.
    """
    path = Path(name)
    if path.suffix == ".json" or len(path.parts) > 1:
        found = [path]
    else:
        folder = project.project_dir()
        folders = (folder / project.configs_dir(), folder / "configs")
        found = [folder / f"{name}.json" for folder in folders]
    for path in found:
        if path.is_file():
            return path
    known = sorted(path.stem for path in found[0].parent.glob("*.json"))
    raise InputError(
        [
            Problem(
                str(found[0]), "", "a profile, as a file or by its name",
                "no such file",
                f"name one of {', '.join(known)}" if known else "correct the path",
            )
        ]
    )  # fmt: skip


def load_base(name: str = DEFAULT_BASE) -> Base:
    """Return a profile as a base, with the thresholds of macro signals beside it.

    Raises InputError when it does not exist or is not sound.
    """
    path = find_profile(name)
    profile, problems = check_profile(path)
    if problems:
        raise InputError(problems)
    macro_signals, problems = read_json(path.parent / "shared" / "macro_signals.json")
    return Base(path.stem, profile, {} if problems else macro_signals)
