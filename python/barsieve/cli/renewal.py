"""Profiles with former keys, rewritten with those of today."""

from contextlib import ExitStack
from pathlib import Path

from barsieve.cli.migrated import here, print_ending, row_documents, warn_of_market
from barsieve.cli.output import REFUSED, fail, out, print_json, refusing
from barsieve.cli.texts import shown, text_table


def are_profiles(files: list[Path]) -> bool:
    """Tell whether files are profiles of ours; a legacy config is read by itself.

    Raises InputError for a single one that is of today already.
    """
    from barsieve.core.errors import refuse
    from barsieve.profiles.legacy.renew import read_profile, renew

    if len(files) > 1:
        return True
    (file,) = files
    if read_profile(file) is None:
        return False
    if not renew(file).is_changed:
        expected, fix = "a file of former keys", "nothing to do: barsieve config check"
        refuse(str(file), expected=expected, found="a profile already", fix=fix)
    return True


def _print_renewed(file: Path, renewed, target: Path | None) -> None:
    """Print the keys of a profile that are others now; the others are only counted."""
    from barsieve.profiles.legacy.rows import CARRIED

    if not renewed.is_changed:
        text = f"{file}: a profile already, nothing to do"
        out.print(text, markup=False, highlight=False, soft_wrap=True)
        return
    changed = [row for row in renewed.rows if row.status != CARRIED]
    rows = [[r.key, shown(r.value, 16), r.status, here(r)] for r in changed]
    columns = ["old key", "value", "what became of it", "here"]
    out.print(text_table(f"former keys of {file}", columns, rows))
    print_ending(renewed.rows, target)


def _renew(files: list[Path], to: Path | None, force: bool, dry_run: bool) -> list:
    """Return the files as profiles of today, written, all or none, unless it is dry.

    Raises InputError where a file is none of ours, or stands in the place of another.
    """
    from barsieve.core.errors import InputError
    from barsieve.core.files import refuse_target, written_whole
    from barsieve.profiles.legacy.renew import renew

    made, problems = [], []
    for file in dict.fromkeys(files):
        target = to or file
        try:
            renewed = renew(file, to.stem if to else None)
            is_written = renewed.is_changed and not dry_run
            if is_written:
                refuse_target(target, force)
        except InputError as error:
            problems += error.problems
            continue
        made.append((file, renewed, target if is_written else None))
    if problems:
        raise InputError(problems)
    with ExitStack() as parts:
        for _, renewed, place in made:
            if place is not None:
                partial = parts.enter_context(written_whole(place.resolve()))
                partial.write_bytes(renewed.text.encode())
    return made


def renew_profiles(
    files: list[Path], to: Path | None, force: bool, dry_run: bool, as_json: bool
) -> None:
    """Rewrite profiles with the keys of today, and print what became of the others."""
    if to is not None and len(files) > 1:
        raise fail(f"--to {to}: expected one file to write, found {len(files)} to read")
    with refusing(REFUSED):
        made = _renew(files, to, force, dry_run)
    if as_json:
        documents = [
            {
                "written_to": str(target) if target else None,
                "base": None,
                "keys": row_documents(renewed.rows),
                "added": [],
                "profile": renewed.profile,
            }
            for _, renewed, target in made
        ]
        print_json(documents[0] if len(documents) == 1 else documents)
    else:
        for file, renewed, target in made:
            _print_renewed(file, renewed, target)
    symbols = [s for _, renewed, _ in made for s in renewed.profile.get("symbols", [])]
    warn_of_market(list(dict.fromkeys(symbols)))
