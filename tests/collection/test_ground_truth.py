"""Who says what about which image: tables, folders, metadata, and what names nothing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from bilderatlas.collection import ground_truth
from bilderatlas.collection.ground_truth import GroundTruth
from bilderatlas.errors import LabelsError, SourceError
from bilderatlas.storage import place_rows as places_

IDS = ["a" * 32, "b" * 32, "c" * 32]
A, B, C = IDS


@pytest.fixture
def places(tmp_path: Path) -> pa.Table:
    """A cat and a dog in folders, and a second dog inside of an archive."""
    return made_of(
        (tmp_path / "cats" / "1.jpg", A, {"id": 7, "kind": "cat", "text": "a cat"}),
        (tmp_path / "dogs" / "1.jpg", B, {"id": 8, "kind": "dog", "text": ["a dog", "it barks"]}),
        (f"{tmp_path}/more.zip!/dogs/2.jpg", C, {"id": 9, "kind": "dog"}),
    )


def made_of(*rows: tuple[Path | str, str, dict[str, Any]]) -> pa.Table:
    uris, ids, metadata = zip(*rows, strict=True)
    columns = {
        "uri": [str(uri) for uri in uris],
        "source": ["somewhere"] * len(rows),
        "position": list(range(len(rows))),
        "image_id": ids,
        "metadata": [json.dumps(values) for values in metadata],
    }
    return places_.rows(pa.table(columns))


def write(path: Path, text: str) -> str:
    path.write_text(text, "utf-8")
    return str(path)


def labels_of(truth: GroundTruth, places: pa.Table) -> list[str | None]:
    """The class at each place, by path; several are joined."""
    labels = [truth.labels_at.get(place_id, ()) for place_id in places["place_id"].to_pylist()]
    return [" + ".join(its) or None for its in labels]


@pytest.mark.parametrize(
    "names",
    [
        IDS,
        ["cats/1.jpg", "dogs/1.jpg", "more.zip!/dogs/2.jpg"],  # from the table's own folder
        ["7", "8", "9"],
    ],
)
def test_a_table_names_images_by_id_path_or_their_own_id(
    places: pa.Table, tmp_path: Path, names: list[str]
) -> None:
    rows = "".join(f"{n},{c}\n" for n, c in zip(names, "xyy", strict=True))
    truth = ground_truth.read(write(tmp_path / "t.csv", f"path,label\n{rows}"), places)
    assert labels_of(truth, places) == ["x", "y", "y"]
    assert (truth.unknown, truth.torn, truth.warnings()) == ((), (), [])


def test_the_end_of_a_path_is_enough_where_only_one_image_has_it(
    places: pa.Table, tmp_path: Path
) -> None:
    (tmp_path / "elsewhere").mkdir()
    text = "file\tclass\ncats/1.jpg\tcat\n2.jpg\tdog\n1.jpg\tcat\n"
    truth = ground_truth.read(write(tmp_path / "elsewhere" / "t.tsv", text), places)
    assert labels_of(truth, places) == ["cat", None, "dog"]
    assert truth.unknown == ("1.jpg",)  # two images end so


def test_parquet_may_hold_numbers_as_labels(places: pa.Table, tmp_path: Path) -> None:
    table = {"image_id": IDS, "label": [3, 4, None], "other": ["p", "q", "q"]}
    pq.write_table(pa.table(table), tmp_path / "t.parquet")
    truth = ground_truth.read(str(tmp_path / "t.parquet"), places)
    assert labels_of(truth, places) == ["3", "4", None]
    truth = ground_truth.read(str(tmp_path / "t.parquet"), places, label_column="other")
    assert labels_of(truth, places) == ["p", "q", "q"]


def test_columns_may_be_named(places: pa.Table, tmp_path: Path) -> None:
    text = f"path,who,what,label\n/x.jpg,{A},cat,1\n/y.jpg,{B},dog,1\n"
    path = write(tmp_path / "t.csv", text)
    truth = ground_truth.read(path, places, image_column="who", label_column="what")
    assert labels_of(truth, places) == ["cat", "dog", None]


def test_folders_are_classes(places: pa.Table) -> None:
    truth = ground_truth.read("folders", places)
    assert labels_of(truth, places) == ["cats", "dogs", "dogs"]


def test_the_folders_of_a_folder_are_classes_however_deep(tmp_path: Path) -> None:
    pile = made_of(
        (tmp_path / "pile" / "cats" / "old" / "1.jpg", A, {}),
        (tmp_path / "pile" / "dogs" / "2.jpg", B, {}),
        (tmp_path / "pile" / "3.jpg", C, {}),
        (tmp_path / "pile-of-others" / "dogs" / "3.jpg", C, {}),
    )
    (tmp_path / "pile").mkdir()
    truth = ground_truth.read(str(tmp_path / "pile"), pile)
    assert labels_of(truth, pile) == [None, None, "cats", "dogs"]  # 3.jpg, others, cats, dogs


def test_a_metadata_column_is_one(places: pa.Table) -> None:
    truth = ground_truth.read("column:kind", places)
    assert labels_of(truth, places) == ["cat", "dog", "dog"]


def test_names_of_no_image_are_counted_and_some_of_them_said(
    places: pa.Table, tmp_path: Path
) -> None:
    rows = "".join(f"{n}.png,x\n" for n in range(7)) + f"{A},x\n{B},y\n"
    path = write(tmp_path / "t.csv", f"path,label\n{rows}")
    truth = ground_truth.read(path, places)
    assert truth.warnings() == [
        f"7 names in {path} match no image of the collection: "
        "0.png, 1.png, 2.png, 3.png, 4.png and 2 more."
    ]


@pytest.fixture
def pile() -> pa.Table:
    """A picture that lies in two folders, and two that lie in one."""
    return made_of(
        ("/p/x/1.jpg", A, {"id": 1}),
        ("/p/x/2.jpg", B, {"id": 2}),
        ("/p/y/1.jpg", A, {"id": 3}),
        ("/p/y/3.jpg", C, {"id": 4}),
    )


def test_an_image_in_two_folders_is_in_each(pile: pa.Table) -> None:
    truth = ground_truth.read("folders", pile)
    assert labels_of(truth, pile) == ["x", "x", "y", "y"]
    assert truth.torn == (A,)
    assert truth.warnings() == [f"1 images have several labels and count in each class: {A}."]


@pytest.mark.parametrize("column", ["path", "place_id", "id", "image_id"])
def test_a_row_of_a_table_is_a_row_of_the_truth(
    pile: pa.Table, tmp_path: Path, column: str
) -> None:
    """By whatever the table calls its images, as `export` lists them."""
    own = [json.loads(text)["id"] for text in pile["metadata"].to_pylist()]
    names = own if column == "id" else pile[column].to_pylist()
    rows = "".join(f"{name},{label}\n" for name, label in zip(names, "stuv", strict=True))
    truth = ground_truth.read(write(tmp_path / "t.csv", f"{column},label\n{rows}"), pile)
    assert labels_of(truth, pile) == ["s", "t", "u", "v"]


def test_what_is_said_of_an_image_holds_at_all_its_places(pile: pa.Table, tmp_path: Path) -> None:
    table = write(tmp_path / "t.csv", f"image_id,label\n{A},s\n{B},t\n")
    assert labels_of(ground_truth.read(table, pile), pile) == ["s", "t", "s", None]
    table = write(tmp_path / "t.csv", f"image_id,label\n{A},s\n{A},t\n{A},u\n")
    assert labels_of(ground_truth.read(table, pile), pile) == ["s + t + u", None] * 2
    truth = ground_truth.read("decisions", pile, decided={A: ("s", "t"), f"{B}-1": ("u",)})
    assert labels_of(truth, pile) == ["s + t", None, "s + t", None]


def test_rows_of_one_file_are_told_apart(tmp_path: Path) -> None:
    """Twelve rows of a table for one file: the tenth comes after the ninth."""
    uris = ["/p/1.jpg", *(f"/p/1.jpg#{n}" for n in range(2, 13))]
    table = made_of(*((uri, A, {"id": n}) for n, uri in enumerate(uris)))
    assert table["path"].to_pylist() == ["/p/1.jpg"] * 12
    rows = "".join(f"1.jpg,c{n}\n" for n in range(12))
    truth = ground_truth.read(write(tmp_path / "t.csv", f"path,label\n{rows}"), table)
    assert labels_of(truth, table) == [f"c{n}" for n in range(12)]


# -- captions


def test_captions_come_from_the_metadata_one_or_several_an_image(places: pa.Table) -> None:
    truth = ground_truth.read("folders", places, captions="text")
    assert truth.captions_of == {A: ("a cat",), B: ("a dog", "it barks")}
    assert ground_truth.read("folders", places).captions_of == {}


def test_captions_of_the_table_come_first(places: pa.Table, tmp_path: Path) -> None:
    text = f'image_id,label,text\n{A},x,tabby\n{A},x,purrs\n{B},y,"[""x"", ""y""]"\nno,y,z\n'
    truth = ground_truth.read(write(tmp_path / "t.csv", text), places, captions="text")
    assert truth.captions_of == {A: ("tabby", "purrs"), B: ("x", "y")}


def test_a_caption_may_begin_with_a_bracket(places: pa.Table, tmp_path: Path) -> None:
    text = f"image_id,label,text\n{A},x,[sic] a cat\n{B},y,a dog\n"
    truth = ground_truth.read(write(tmp_path / "t.csv", text), places, captions="text")
    assert truth.captions_of[A] == ("[sic] a cat",)


# -- refusals


@pytest.mark.parametrize(
    ("text", "how", "reason"),
    [
        ("path,label\nx.png,1\ny.png,2\n", {}, r"None of the 2 names .* It says: x.png, y.png; th"),
        ("path,colour\nx.png,1\n", {}, r"usual names for labels .*--label-column.* path, colour"),
        (
            "picture no,label\n1,1\n",
            {},
            r"usual names for images .*--image-column; its columns: picture no",
        ),
        (
            "path,label\nx.png,1\n",
            {"label_column": "x"},
            r"no column 'x'. Its columns: path, label",
        ),
        ("path,label\n", {}, "has no rows"),
        (f"path,label\n{A},x\n{B},x\n", {}, "All 2 images that .* names are 'x'"),
        (f"path,label\n{A},\n{B},\n", {}, "gives no label to any image"),
        (f"path,label\n{A},x\n{B},y\n", {"captions": "x"}, "no metadata column 'x'; it has: id, k"),
        (f"path,label,t\n{A},x,\n{B},y,\n", {"captions": "t"}, "'t' holds no captions"),
    ],
)
def test_a_table_that_cannot_be_used_says_why(
    places: pa.Table, tmp_path: Path, text: str, how: dict[str, str], reason: str
) -> None:
    with pytest.raises(LabelsError, match=reason):
        ground_truth.read(write(tmp_path / "t.csv", text), places, **how)


@pytest.mark.parametrize(
    ("labels", "reason"),
    [
        ("column:colour", "no metadata column 'colour'; it has: id, kind, text"),
        ("kind", "'kind' is neither a folder nor a CSV.* For the metadata column say column:kind"),
        ("nowhere.csv", "'nowhere.csv' is neither a folder nor a CSV, TSV or Parquet file. Give"),
    ],
)
def test_labels_that_are_nowhere_say_what_there_is(
    places: pa.Table, labels: str, reason: str
) -> None:
    with pytest.raises(LabelsError, match=reason):
        ground_truth.read(labels, places)


def test_a_folder_that_holds_no_image_of_the_collection_is_refused(
    places: pa.Table, tmp_path: Path
) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(LabelsError, match=r"The folders of .* no label to any image"):
        ground_truth.read(str(tmp_path / "empty"), places)


def test_several_labels_in_one_cell_are_refused(places: pa.Table, tmp_path: Path) -> None:
    pq.write_table(pa.table({"image_id": [A], "label": [["x", "y"]]}), tmp_path / "t.parquet")
    with pytest.raises(LabelsError, match="an image has one class here"):
        ground_truth.read(str(tmp_path / "t.parquet"), places)


def test_labels_that_people_gave_are_a_truth_where_each_image_has_one(places: pa.Table) -> None:
    decided = {A: ("cat",), B: ("dog",), C: ("asleep", "dog")}
    truth = ground_truth.read("decisions", places, decided=decided)
    assert labels_of(truth, places) == ["cat", "dog", "asleep + dog"]
    assert truth.torn == (C,)
    with pytest.raises(LabelsError, match="People's labels gives no label"):
        ground_truth.read("decisions", places)


def test_all_labels_of_an_image_and_of_its_parts_are_read(places: pa.Table, tmp_path: Path) -> None:
    table = write(
        tmp_path / "t.csv", f"region_id,label\n{A},cat\n{A},asleep\n{A}-2,paw\n{'d' * 32},x\n"
    )
    read = ground_truth.read_all(table, places)
    assert read.labels_of == {A: ("cat", "asleep"), f"{A}-2": ("paw",)}
    assert read.unknown == ("d" * 32,)
    lists = write(tmp_path / "l.csv", f'image_id,label\n{B},"[""dog"", ""wet""]"\n')
    assert ground_truth.read_all(lists, places).labels_of == {B: ("dog", "wet")}


def test_a_table_that_is_no_text_is_refused(places: pa.Table, tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_bytes(b"path,label\n\xff\xfe,x\n")
    with pytest.raises(SourceError, match="as UTF-8"):
        ground_truth.read(str(tmp_path / "t.csv"), places)
