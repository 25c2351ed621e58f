"""Cells as numbers, in the one form that all of them have, or not at all.

A cell is never read in a form that another cell of the table contradicts, nor in one of
two that give different values: the user then names the decimal mark.
"""

import re
from typing import NamedTuple, NoReturn

import numpy as np
import pyarrow as pa

from barsieve.ingest.hints import Hints
from barsieve.ingest.reading import Export

# What sources write where they have no value.
MISSING = re.compile(r"(?i)(nan|null|none|n/?a|#n/a|\.|-|--)?")


class Numbers(NamedTuple):
    """Values by role (nan where a cell is empty) and how numbers are written."""

    values: dict[str, np.ndarray]
    form: str


class Form(NamedTuple):
    """Form of numbers: the decimal mark, and the one between thousands."""

    decimal: str
    thousands: str = ""

    def pattern(self) -> re.Pattern:
        """Return what a number of this form looks like."""
        decimal, between = re.escape(self.decimal), re.escape(self.thousands)
        whole = rf"(\d{{1,3}}({between}\d{{3}})+|\d+)" if self.thousands else r"\d+"
        power = r"([eE][-+]?\d+)?"
        return re.compile(rf"[-+]?({whole}({decimal}\d*)?|{decimal}\d+){power}")

    def value(self, cell: str) -> float:
        """Return the number that a cell of this form is."""
        plain = cell.replace(self.thousands, "") if self.thousands else cell
        return float(plain.replace(self.decimal, "."))

    def __str__(self) -> str:
        """Return the form in words."""
        between = f", {self.thousands!r} between thousands" if self.thousands else ""
        return f"decimal {self.decimal!r}{between}"


def numbers_of(
    export: Export, columns: dict[str, str], hints: Hints, own_delimiter: str
) -> Numbers:
    """Return the numbers of the columns of roles; raise InputError for another cell.

    `own_delimiter` are delimiters of the format's own files, whose decimal mark is a
    point.
    """
    texts, values = {}, {}
    for role, column in columns.items():
        if _is_text(export.rows[column].type):
            cells = [cell or "" for cell in export.rows[column].to_pylist()]
            texts[role] = [cell.strip() for cell in cells]
        else:
            values[role] = _typed(export, column)
    form = _form_of(export, columns, texts, hints, own_delimiter)
    for role, cells in texts.items():
        values[role] = np.array(
            [np.nan if MISSING.fullmatch(cell) else form.value(cell) for cell in cells],
            float,
        )
    for role, column in columns.items():
        infinite = np.isinf(values[role])
        if infinite.any():
            export.refuse_cell(
                int(infinite.argmax()),
                column,
                expected="a finite number",
                fix="correct the cell",
            )
    return Numbers({role: values[role] for role in columns}, str(form))


def _is_text(type_: pa.DataType) -> bool:
    return pa.types.is_string(type_) or pa.types.is_large_string(type_)


def _typed(export: Export, column: str) -> np.ndarray:
    cells = export.rows[column]
    is_number = pa.types.is_integer(cells.type) or pa.types.is_floating(cells.type)
    if not (
        is_number or pa.types.is_decimal(cells.type) or pa.types.is_null(cells.type)
    ):
        export.refuse(
            f"column '{column}'",
            expected="numbers",
            found=str(cells.type),
            fix="name another: --column",
        )
    return cells.cast(pa.float64()).to_numpy(zero_copy_only=False).astype(float)


def _form_of(
    export: Export,
    columns: dict[str, str],
    texts: dict[str, list[str]],
    hints: Hints,
    own_delimiter: str,
) -> Form:
    """Return the one form of all cells; refuse the first that it does not fit."""
    point = Form(".")
    forms = [point]
    if hints.decimal or hints.thousands:
        other = "," if hints.thousands == "." else "."
        forms = [Form(hints.decimal or other, hints.thousands or "")]
    elif export.delimiter and export.delimiter != ",":
        forms = [point, Form(",")]
    tried = [(form, _misfit(form, texts)) for form in forms]
    fitting = [form for form, misfit in tried if misfit is None]
    misfits = [misfit for _, misfit in tried if misfit]
    if not fitting:
        role, row = misfits[-1]
        _refuse_number(export, row, columns[role], texts[role][row], forms)
    form = fitting[0]
    is_own = bool(export.delimiter) and export.delimiter in own_delimiter
    if export.dialect and not (hints.decimal or hints.thousands or is_own):
        _refuse_two_readings(export, columns, texts, form)
    return form


def _misfit(form: Form, texts: dict[str, list[str]]) -> tuple[str, int] | None:
    """Return the role and row of the first cell that is no number of a form."""
    pattern = form.pattern()
    first = None
    for role, cells in texts.items():
        for row, cell in enumerate(cells):
            if first is not None and row >= first[1]:
                break
            if not (pattern.fullmatch(cell) or MISSING.fullmatch(cell)):
                first = (role, row)
                break
    return first


def _refuse_number(
    export: Export, row: int, column: str, cell: str, forms: list[Form]
) -> NoReturn:
    shown = " or ".join(str(form) for form in forms)
    fix = "correct the cell at its source, or name another column: --column"
    marks = set(re.sub(r"[-+]?\d", "", cell))
    if marks and marks <= set(".,' _\u00a0\u202f"):
        fix = (
            "say how its numbers are written: --decimal ',' where a comma is the "
            "decimal mark, --thousands ',' where it stands between thousands"
        )
    export.refuse_cell(row, column, expected=f"a number ({shown})", fix=fix)


def _refuse_two_readings(
    export: Export, columns: dict[str, str], texts: dict[str, list[str]], form: Form
) -> None:
    """Refuse numbers of which every mark may stand between thousands, too."""
    mark = re.escape(form.decimal)
    grouped = re.compile(rf"[-+]?[1-9]\d{{0,2}}{mark}\d{{3}}")
    shown = None
    for role, cells in texts.items():
        for row, cell in enumerate(cells):
            if form.decimal not in cell or MISSING.fullmatch(cell):
                continue
            if not grouped.fullmatch(cell):
                return
            shown = shown or (role, row)
    if shown:
        role, row = shown
        cell = texts[role][row]
        export.refuse_cell(
            row,
            columns[role],
            expected=(
                f"numbers of one reading ({cell} may be {form.value(cell):g} or "
                f"{cell.replace(form.decimal, '')}, and so may all others)"
            ),
            fix=(
                f"say which: --decimal '{form.decimal}' or --thousands '{form.decimal}'"
            ),
        )
