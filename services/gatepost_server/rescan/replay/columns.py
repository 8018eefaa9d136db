"""The columns of results as arrays, made when they are asked for."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Places = NDArray[np.int64]


class Columns:
    """Some rows of results. Arrays have one value for each row, or for each line of text in all rows."""

    def __init__(self, rows: pa.Table) -> None:
        self._rows = rows.combine_chunks()
        self.count = len(rows)
        self._scores: dict[str, Floats] = {}

    def column(self, name: str) -> Any:
        """A column as one array; a struct's field as "struct.field"."""
        first, _, rest = name.partition(".")
        array = self._rows[first]
        array = array.chunk(0) if array.num_chunks else pa.array([], array.type)
        return pc.struct_field(array, rest.split(".")) if rest else array

    def has(self, name: str) -> bool:
        """Whether the results have a column of that name."""
        return name in self._rows.column_names

    def numbers(self, name: str) -> Floats:
        """A column of numbers; NaN for null."""
        return _floats(self.column(name))

    def scores(self, category: str) -> Floats:
        """A category's scores after fusion."""
        if category not in self._scores:
            self._scores[category] = self.numbers(f"scores.{category}")
        return self._scores[category]

    @cached_property
    def lines(self) -> Nested:
        """All lines of all rows."""
        return Nested(self.column("lines"), self.count)


class Nested:
    """The members of a column of lists."""

    def __init__(self, lists: Any, count: int) -> None:
        self._members = lists.flatten()
        self._count = count
        # Of which row each member is.
        self.of: Places = pc.list_parent_indices(lists).to_numpy(zero_copy_only=False)

    def field(self, name: str) -> Any:
        """One field of members that are structs; "struct.field" for one below."""
        return pc.struct_field(self._members, name.split("."))

    @property
    def members(self) -> Any:
        """The members themselves."""
        return self._members

    def numbers(self, name: str) -> Floats:
        """A field of numbers; NaN for null."""
        return _floats(self.field(name))

    def any(self, held: Bools) -> Bools:
        """Rows of which any member holds."""
        found = np.zeros(self._count, bool)
        found[self.of[held]] = True
        return found

    def highest(self, values: Floats) -> Floats:
        """The highest value of each row's members; 0 where there are none, or none above 0. NaN counts as 0."""
        found = np.zeros(self._count)
        np.maximum.at(found, self.of, np.nan_to_num(values))
        return found


def _floats(array: Any) -> Floats:
    values: Floats = array.cast(pa.float64()).to_numpy(zero_copy_only=False)
    return values
