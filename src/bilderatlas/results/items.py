"""Lists of results, and how results look in notebooks and tables."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Generic, TypeVar, overload

from bilderatlas.errors import MissingExtra

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa


Item = TypeVar("Item")


Thumbnails = Callable[[Sequence[str]], "list[bytes]"]  # image ids -> JPEGs, 320 px


def load_pandas() -> Any:
    """pandas, which the default install does not bring. Raises MissingExtra."""
    try:
        import pandas
    except ModuleNotFoundError as error:
        raise MissingExtra(
            "A DataFrame needs pandas, which is not installed here. Install it with "
            "'pip install pandas', or use .to_arrow() or .to_dict()."
        ) from error
    return pandas


class Items(Sequence[Item], Generic[Item]):
    """A frozen list of results."""

    def __init__(self, items: Sequence[Item]) -> None:
        self._items = tuple(items)

    @overload
    def __getitem__(self, index: int) -> Item: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Item]: ...
    def __getitem__(self, index: int | slice) -> Item | Sequence[Item]:
        return self._items[index]

    def __len__(self) -> int:
        return len(self._items)

    def __iter__(self) -> Iterator[Item]:
        return iter(self._items)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {len(self)}>"

    def rows(self) -> list[dict[str, Any]]:
        """One plain dict an item, as in the JSON."""
        return [asdict(item) for item in self._items]  # type: ignore[call-overload]

    def to_arrow(self) -> pa.Table:
        """The results as an Arrow table, one row an item."""
        import pyarrow as pa

        return pa.Table.from_pylist(self.rows())

    def to_pandas(self) -> pd.DataFrame:
        """The results as a pandas DataFrame, one row an item. Raises MissingExtra."""
        frame: pd.DataFrame = load_pandas().DataFrame(self.rows())
        return frame
