"""What a request may ask for at most, and the parameters that many routes share."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

MAX_K = 1000
MAX_WORDS = 2000  # characters of a query
MAX_PAGE = 500
MAX_PARTS = 50  # of a cluster that is split
MAX_NUMBER = 2**31 - 1  # of a cluster
MAX_CURSOR = 20_000  # characters; a cursor may hold a path
MAX_SEED = 2**53 - 1  # what JavaScript still knows exactly
MAX_KINDS = 50  # kinds of region in one list; there are fewer

K = Annotated[int, Field(ge=1, le=MAX_K, description="how many images at most")]
Threshold = Annotated[float, Field(ge=-1, le=1, description="no image below this score")]
Aggregate = Annotated[str, Field(description="an image ranks by its best region, max, or by mean")]
SpaceName = Annotated[str, Field(max_length=MAX_WORDS, description="the active one if left out")]
SelectionId = Annotated[
    str, Field(max_length=MAX_WORDS, description="only images of this selection")
]
Where = Annotated[str, Field(max_length=MAX_WORDS, description="a filter on metadata")]
Kind = Annotated[str, Field(max_length=MAX_WORDS, description="of region, or all")]
Seed = Annotated[int, Field(ge=0, le=MAX_SEED, description="the same gives the same")]
