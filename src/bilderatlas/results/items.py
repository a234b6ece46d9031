"""Lists of results, and how results look in notebooks and tables."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, fields, is_dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar, overload

from bilderatlas.errors import MissingExtra, QueryError

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa


Item = TypeVar("Item")


Thumbnails = Callable[[Sequence[str]], "list[bytes]"]  # image ids -> JPEGs, 320 px
HIDDEN = {"exclude": True}  # what a field is that JSON does not show; pydantic reads it as well


def no_thumbnails(image_ids: Sequence[str]) -> list[bytes]:
    """Where results come from JSON alone. Raises QueryError."""
    raise QueryError(
        f"These results were read from JSON, which holds no picture of {len(image_ids):,} images. "
        "Ask a collection, here or at its server."
    )


def as_json(result: Any) -> Any:
    """A result as JSON has it: dataclasses by their fields, times as texts."""
    if is_dataclass(result):
        shown = (f.name for f in fields(result) if not f.metadata.get("exclude"))
        return {name: as_json(getattr(result, name)) for name in shown}
    if isinstance(result, Mapping):
        return {name: as_json(value) for name, value in result.items()}
    if isinstance(result, (tuple, list)):
        return [as_json(value) for value in result]
    return result.isoformat() if isinstance(result, datetime) else result


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
    """A frozen dataclass that is a list of what one of its fields holds."""

    LIST: ClassVar[str]  # the field

    @property
    def _items(self) -> tuple[Item, ...]:
        items: tuple[Item, ...] = getattr(self, self.LIST)
        return items

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

    def to_dict(self) -> dict[str, Any]:
        """The documented JSON."""
        said: dict[str, Any] = as_json(self)
        return said

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
