"""Parts of pictures, cut out of where they lie."""

from __future__ import annotations

from pathlib import Path

import pytest

from bilderatlas.collection import Collection
from bilderatlas.errors import ImageNotFound, ImageProblem, QueryError
from bilderatlas.models.encoders import ImageEmbeddings
from bilderatlas.storage.rows import Parts, RegionRow
from tests.pictures import GREEN, collect, put, quarters, saved
from tests.toy_encoder import ToyEncoder

CORNER = (0.5, 0.0, 1.0, 0.5)  # above right, green


@pytest.fixture
def atlas(tmp_path: Path) -> Collection:
    put(tmp_path / "pile" / "quarters.png", saved(quarters(480, 320), "PNG"))
    atlas = collect(tmp_path, tmp_path / "pile")
    [image] = atlas.browse()
    encoder = ToyEncoder()
    row = RegionRow(f"{image.image_id}-1", image.image_id, "object", "a corner", CORNER, 0.9, None)
    embeddings = ImageEmbeddings(encoder.embed_texts(["green"]), None)
    atlas._store.replace_parts("toy", [image.image_id], Parts([row], embeddings, "toy"))
    return atlas


def test_a_region_is_cut_out_of_its_picture(atlas: Collection) -> None:
    part = atlas.crop(f"{atlas.browse()[0].image_id}-1")
    assert part.size == (240, 160)
    assert part.getcolors() == [(240 * 160, GREEN)]


def test_the_whole_image_is_a_region_too(atlas: Collection) -> None:
    assert atlas.crop(atlas.browse()[0].image_id).size == (320, 213)


def test_a_crop_is_as_large_as_was_asked_at_most(atlas: Collection) -> None:
    assert atlas.crop(f"{atlas.browse()[0].image_id}-1", side=24).size == (24, 16)


def test_what_cannot_be_cut_out_is_refused(atlas: Collection) -> None:
    [image] = atlas.browse()
    with pytest.raises(ImageNotFound, match="holds no region 'nothing'"):
        atlas.crop("nothing")
    with pytest.raises(QueryError, match="side is 0"):
        atlas.crop(image.image_id, side=0)
    Path(image.path).unlink()
    with pytest.raises(ImageProblem, match="not where it was"):
        atlas.crop(image.image_id)
