"""Tables as pandas frames that give themselves to Arrow and polars too."""

from typing import Any, ClassVar

import pyarrow as pa

from barsieve.core.extras import needed

pandas = needed("pandas", "notebook", by="a frame")


class Frame(pandas.DataFrame):  # type: ignore[misc, name-defined]
    """A pandas DataFrame with the columns of a table.

    Moments are in UTC, money in USD, shares are fractions. It is the caller's own: to
    change it changes nothing else.
    """

    # What pandas hands on to a frame that is made of this one.
    _metadata: ClassVar[list[str]] = ["_types"]
    _types: dict[str, pa.DataType] = {}  # noqa: RUF012  (pandas sets it)

    @property
    def _constructor(self) -> type["Frame"]:
        return Frame

    def arrow(self) -> pa.Table:
        """Return the rows as an Arrow table, missing values as nulls.

        Columns have the types of their table; of what was changed or added, as pandas
        has it.
        """
        return pa.table({str(name): self._column(name) for name in self.columns})

    def _column(self, name: Any) -> pa.Array:
        values, kind = self[name], self._types.get(name)
        if kind is not None and pa.types.is_map(kind):
            values = [list(value.items()) if value else value for value in values]
        try:
            return pa.array(values, type=kind, from_pandas=True)
        except (pa.ArrowInvalid, pa.ArrowTypeError):
            return pa.array(values, from_pandas=True)

    def polars(self) -> Any:
        """Return the rows as a polars frame.

        Raises MissingExtraError without the extra `polars`.
        """
        polars = needed("polars", "polars", by="Frame.polars")
        return polars.from_arrow(self.arrow())


def frame_of(table: pa.Table) -> Frame:
    """Return an Arrow table as a frame; maps become dicts."""
    frame = Frame(table.to_pandas(maps_as_pydicts="strict"))
    frame._types = {field.name: field.type for field in table.schema}
    return frame
