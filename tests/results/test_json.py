"""Results -> JSON -> the same results, as the client reads what the server answers."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from pydantic import TypeAdapter

from bilderatlas.collection import Collection
from bilderatlas.errors import QueryError
from bilderatlas.results import Duplicates
from tests.server.coloured import make_collection


@pytest.fixture(scope="module")
def atlas(tmp_path_factory: pytest.TempPathFactory) -> Collection:
    atlas = make_collection(tmp_path_factory.mktemp("results"))
    ids = [image.image_id for image in atlas.browse(n=4)]
    atlas.label(ids[:2], "red things", who="Anna")
    atlas.decide("name", 0, "Poppies", who="Anna")
    atlas.not_duplicates(*ids[2:])
    return atlas


EXAMPLES: dict[str, Callable[[Collection], Any]] = {
    "runs": lambda atlas: atlas.runs()[0],
    "a comparison": lambda atlas: atlas.compare("kmeans-1", "kmeans-1"),
    "the shape of clusters": lambda atlas: atlas.cluster_shapes(),
    "a cluster": lambda atlas: atlas.clustering().clusters[0],
    "what became of a decision": lambda atlas: atlas.clustering().outcomes[0],
    "decisions": lambda atlas: atlas.decisions(),
    "a labelling": lambda atlas: atlas.label([], "red things"),
    "a label given": lambda atlas: atlas.label([atlas.browse(n=9)[8].image_id], "another"),
    "labels": lambda atlas: atlas.labels(),
    "suggestions": lambda atlas: atlas.suggest_labels(n=3),
    "a list of images": lambda atlas: atlas.browse(n=3),
    "images": lambda atlas: atlas.sample(3),
    "problems": lambda atlas: atlas.problems(),
    "a hit": lambda atlas: atlas.search("red")[0],
    "the newest index": lambda atlas: atlas.info().last_index,
}


@pytest.mark.parametrize("example", EXAMPLES)
def test_a_result_is_read_back_from_its_json(atlas: Collection, example: str) -> None:
    result = EXAMPLES[example](atlas)
    adapter: TypeAdapter[Any] = TypeAdapter(type(result))
    assert adapter.validate_json(adapter.dump_json(result)) == result
    if hasattr(result, "to_dict"):
        assert adapter.validate_python(json.loads(json.dumps(result.to_dict()))) == result


def test_copies_are_read_back_without_their_pictures(atlas: Collection) -> None:
    found = atlas.duplicates(min_cosine=0.9999, min_likeness=0.3)
    adapter = TypeAdapter(Duplicates)
    read = adapter.validate_json(adapter.dump_json(found))
    assert read == found
    assert len(read) == found.n_groups > 0
    assert read.to_dict() == found.to_dict()
    with pytest.raises(QueryError, match="holds no picture"):
        read.contact_sheet()
    drawn = replace(read, thumbnails=atlas.thumbnails)
    assert drawn.contact_sheet(1) == found.contact_sheet(1)
