"""Tables of paths and URLs: how they are read, and what becomes of their other columns."""

from __future__ import annotations

import math
import shutil
import unicodedata
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from bilderatlas.errors import ImageProblem, SourceError
from bilderatlas.indexing import sources
from bilderatlas.indexing.sources import ImageRecord
from tests.assets import assets
from tests.pictures import collect, plain, put

RED, BLUE = plain("red"), plain("blue")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    put(tmp_path / "pics" / "red.png", RED)
    put(tmp_path / "pics" / "blue.png", BLUE)
    return tmp_path


def csv(folder: Path, text: str | bytes, *, name: str = "t.csv") -> Path:
    return put(folder / name, text if isinstance(text, bytes) else text.encode())


def parquet(folder: Path, **columns: Any) -> Path:
    pq.write_table(pa.table(columns), folder / "t.parquet")
    return folder / "t.parquet"


def records(path: Path, **how: Any) -> list[ImageRecord]:
    return list(sources.open(path, **how).records())


def metadata(path: Path, **how: Any) -> list[dict[str, Any]]:
    return [dict(record.metadata) for record in records(path, **how)]


def problem(record: ImageRecord) -> str:
    with pytest.raises((ImageProblem, OSError)) as refused:
        record.read()
    return str(refused.value)


# -- finding the pictures


def test_paths_start_at_the_table(folder: Path) -> None:
    path = csv(folder, f"path\npics/red.png\n{folder}/pics/blue.png\n")
    found = records(path)
    assert [record.read() for record in found] == [RED, BLUE]
    assert found[0].uri == str(folder / "pics/red.png")
    assert found[0].size == len(RED)


@pytest.mark.parametrize("url", ["file://{}", "file://localhost{}", "FILE:{}"])
def test_file_urls_are_paths(folder: Path, url: str) -> None:
    put(folder / "a b" / "caf\udce9.png", RED)
    path = csv(folder, f"path\n{url.format(folder)}/a%20b/caf%E9.png\n")
    assert records(path)[0].read() == RED


@pytest.mark.parametrize(
    "text",
    [
        "path,price\npics/red.png,12\n",
        "path;price\npics/red.png;12\n",
        "path\tprice\npics/red.png\t12\n",
        "path|price\npics/red.png|12\n",
        "\ufeffpath,price\r\npics/red.png,12\r\n",
        '"path","price"\n"pics/red.png","12"\n',
        "path,price\n\npics/red.png,12\n\n",
    ],
)
def test_every_usual_way_to_write_csv_is_read(folder: Path, text: str) -> None:
    [record] = records(csv(folder, text))
    assert record.read() == RED
    assert record.metadata == {"price": 12}


def test_commas_in_quotes_do_not_divide_a_header(folder: Path) -> None:
    path = csv(folder, 'path;"a, b, or c"\npics/red.png;1\n')
    assert metadata(path) == [{"a, b, or c": 1}]


def test_tsv_is_divided_by_tabs(folder: Path) -> None:
    path = csv(folder, "path\tnote\npics/red.png\ta,b\n", name="t.tsv")
    assert metadata(path) == [{"note": "a,b"}]


def test_a_cell_may_hold_lines_and_quotes(folder: Path) -> None:
    path = csv(folder, 'path,note\npics/red.png,"two\nlines, ""quoted"""\n')
    assert metadata(path) == [{"note": 'two\nlines, "quoted"'}]


def test_short_and_long_rows_are_read(folder: Path) -> None:
    path = csv(folder, "path,a,b\npics/red.png\npics/blue.png,1,2,3,4\n")
    assert metadata(path) == [{"a": None, "b": None}, {"a": 1, "b": 2}]


@pytest.mark.parametrize(
    "header", ["image,n", "Image Path,n", "url,n", "file_name,n", "n,whatever,x"]
)
def test_the_column_of_pictures_is_found(folder: Path, header: str) -> None:
    row = "7,pics/red.png,x" if header.startswith("n") else "pics/red.png,7"
    [record] = records(csv(folder, f"{header}\n{row}\n"))
    assert record.read() == RED


def test_the_named_column_counts(folder: Path) -> None:
    path = csv(folder, "path,second\npics/red.png,pics/blue.png\n")
    assert records(path, column="second")[0].read() == BLUE


@pytest.mark.parametrize("how", [{"column": "picture"}, {"id_column": "picture"}])
@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_a_column_that_is_not_there_is_refused_with_those_that_are(
    folder: Path, kind: str, how: dict[str, str]
) -> None:
    path = (
        csv(folder, "path,price\npics/red.png,1\n")
        if kind == "csv"
        else parquet(folder, path=["pics/red.png"], price=[1])
    )
    with pytest.raises(SourceError, match=r"no column 'picture'\. Its columns: path, price\."):
        sources.open(path, **how)


def test_a_table_without_pictures_is_refused_with_its_columns(folder: Path) -> None:
    with pytest.raises(SourceError, match=r"--column; its columns: name, age"):
        sources.open(csv(folder, "name,age\nAda,36\n"))


def test_a_number_that_names_a_file_keeps_its_digits(folder: Path) -> None:
    put(folder / "1.50", RED)
    assert records(csv(folder, "path\n1.50\n"), column="path")[0].read() == RED


@pytest.mark.parametrize(
    "cell",
    ["nowhere.png", "http://[oops/a.png", "file://[oops/a.png", "~nobody-here/a.png", "pics"],
)
def test_a_cell_that_leads_nowhere_is_a_problem_of_its_row(folder: Path, cell: str) -> None:
    found = records(csv(folder, f"path\n{cell}\npics/red.png\n"))
    assert problem(found[0])
    assert found[1].read() == RED


def test_an_empty_cell_is_a_problem_of_its_row(folder: Path) -> None:
    found = records(csv(folder, "path,a\npics/red.png,1\n,2\n"))
    assert problem(found[1]) == "row 2 has nothing in column 'path'"


def test_two_rows_for_one_picture_keep_their_own_metadata(folder: Path) -> None:
    path = csv(folder, "path,size\npics/red.png,S\npics/red.png,M\npics/blue.png,L\n")
    atlas = collect(folder, path)
    summary = atlas.index(path)
    assert (summary.n_images, summary.n_unchanged, summary.n_changed) == (2, 3, 0)
    for size, n in (("S", 1), ("M", 1), ("L", 1), ("XL", 0)):
        assert len(atlas.search("red", where=f"size = '{size}'")) == n
    assert atlas.picture(atlas.search("red", k=1)[0].image_id).getpixel((0, 0)) == (255, 0, 0)


def test_a_row_named_like_a_second_row_is_a_place_of_its_own(folder: Path) -> None:
    put(folder / "pics" / "red.png#2", BLUE)
    path = csv(folder, "path\npics/red.png\npics/red.png#2\npics/red.png\n")
    assert len({record.uri for record in records(path)}) == 3


# -- metadata


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        ("12", 12), ("-3", -3), ("0", 0), ("007", "007"), ("+7", "+7"), ("1_000", "1_000"),
        ("1e5", "1e5"), ("19.90", 19.9), ("-0.5", -0.5), ("1,5", "1,5"), ("NaN", "NaN"),
        ("inf", "inf"), ("0x10", "0x10"), ("true", "true"), ("2019-01-02", "2019-01-02"),
        ("12345678901234567890123", "12345678901234567890123"), ("", None), (" 12", " 12"),
        ("٣", "٣"), ("1.", "1."), (".5", ".5"),
    ],
)  # fmt: skip
def test_a_number_is_what_is_plainly_one(folder: Path, cell: str, value: object) -> None:
    [row] = metadata(csv(folder, f"path;x\npics/red.png;{cell}\n"))
    assert row == {"x": value}
    assert type(row["x"]) is type(value)


def test_parquet_values_keep_their_kind(folder: Path) -> None:
    path = parquet(
        folder,
        path=["pics/red.png"],
        text=["12"],
        day=[date(2019, 1, 2)],
        moment=[datetime(2019, 1, 2, 3, 4, 5, tzinfo=UTC)],
        price=[Decimal("19.90")],
        missing=[math.nan],
        endless=[math.inf],
        yes=[True],
        tags=[["a", "b"]],
        blob=[b"\0\1"],
        nested=[{"x": 1}],
        nested_missing=[[math.nan]],
    )
    assert metadata(path) == [
        {
            "text": "12",
            "day": "2019-01-02",
            "moment": "2019-01-02 03:04:05+00:00",
            "price": 19.9,
            "missing": None,
            "endless": "inf",
            "yes": True,
            "tags": ["a", "b"],
            "blob": "<2 bytes>",
            "nested": {"x": 1},
            "nested_missing": "[nan]",
        }
    ]
    assert collect(folder, path).index(path).n_unchanged == 1


def test_the_id_column_names_the_pictures(folder: Path) -> None:
    path = csv(folder, "sku,path\n007,pics/red.png\n8,pics/blue.png\n")
    atlas = collect(folder, path, id_column="sku")
    assert atlas.similar("007", k=1)[0].metadata["id"] == 8
    assert atlas.similar("8", k=1)[0].metadata["id"] == "007"


# -- embedded pictures


def test_embedded_pictures_are_read(folder: Path) -> None:
    path = parquet(
        folder,
        label=[1, 2, 3],
        image=[
            {"bytes": RED, "path": "red.png"},
            {"bytes": BLUE, "path": None},
            {"bytes": None, "path": "pics/red.png"},
        ],
    )
    found = records(path)
    assert [record.read() for record in found] == [RED, BLUE, RED]
    assert [record.uri for record in found] == [
        f"{path}!/red.png", f"{path}!/1", str(folder / "pics/red.png"),
    ]  # fmt: skip
    assert found[1].metadata == {"label": 2}


def test_a_column_of_bytes_is_of_pictures_where_they_look_like_it(folder: Path) -> None:
    path = parquet(folder, digest=[b"\1\2\3", b"\4\5\6"], content=[RED, BLUE])
    atlas = collect(folder, path)
    hit = atlas.search("blue", k=1)[0]
    assert hit.path == f"{path}!/1"
    assert atlas.picture(hit.image_id).getpixel((0, 0)) == (0, 0, 255)


# -- what is no table


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "no rows"),
        (b"path,price\n", "no rows"),
        ("path\ncaf\u00e9.png\n".encode("latin-1"), "Save it as UTF-8"),
        ("path\na.png\n".encode("utf-16"), "Save it as UTF-8"),
    ],
)
def test_a_csv_that_is_none_is_refused(folder: Path, content: bytes, reason: str) -> None:
    with pytest.raises(SourceError, match=reason):
        sources.open(csv(folder, content))


@pytest.mark.parametrize(
    "content", [b"", b"PAR1", b"no parquet" * 99, b"PAR1" + b"x" * 99 + b"PAR1"]
)
def test_a_parquet_file_that_is_none_is_refused(folder: Path, content: bytes) -> None:
    with pytest.raises(SourceError, match=r"Parquet file .* cannot be read"):
        sources.open(put(folder / "t.parquet", content))


def test_a_table_that_is_damaged_further_down_is_refused_and_costs_nothing(folder: Path) -> None:
    atlas = collect(folder, csv(folder, "path\npics/red.png\n"))
    rows = f"pics/blue.png,\npics/red.png,{'x' * 200_000}\n"  # more than is looked at beforehand
    with pytest.raises(SourceError, match="Save it as UTF-8"):
        atlas.index(csv(folder, b"path,note\n" + rows.encode() + b"caf\xe9.png,\n"))
    assert atlas.search("red", k=1)[0].score == pytest.approx(1)
    assert atlas.index(csv(folder, "path\npics/red.png\npics/blue.png\n")).n_images == 2


@pytest.mark.parametrize("text", ["path\na.png\nb.png\n", 'path,n\n"a.png",1\n"b.png",2'])
def test_rows_are_counted(folder: Path, text: str) -> None:
    assert sources.open(csv(folder, text)).count() == 2


# -- names as other systems write them


def test_a_table_of_another_system_is_read(tmp_path: Path) -> None:
    shutil.copytree(assets() / "cases" / "table", tmp_path / "table")
    found = records(tmp_path / "table" / "table.csv")
    assert [Path(record.uri).name for record in found] == [
        unicodedata.normalize("NFD", "Müller.jpg"), "cat.jpg", "DOG.JPG",
    ]  # fmt: skip
    assert all(record.read() for record in found)
    assert collect(tmp_path, tmp_path / "table" / "table.csv").info().n_images == 3


@pytest.mark.parametrize(
    "cell",
    [
        "pics\\red.png", ".\\pics\\red.png", "PICS/RED.PNG", "Pics\\Red.PNG",
        "C:\\Users\\me\\shop\\pics\\red.png", "d:/pics/red.png", "pics/../pics\\red.png",
    ],
)  # fmt: skip
def test_a_path_of_windows_leads_below_the_table(folder: Path, cell: str) -> None:
    [record] = records(csv(folder, f"path\n{cell}\n"))
    assert (record.uri, record.read()) == (str(folder / "pics" / "red.png"), RED)


@pytest.mark.parametrize("form", ["NFC", "NFD"])
@pytest.mark.parametrize("asked", ["NFC", "NFD"])
def test_a_composed_and_a_decomposed_name_are_one(folder: Path, form: Any, asked: Any) -> None:
    put(folder / unicodedata.normalize(form, "Größe") / unicodedata.normalize(form, "é.png"), BLUE)
    path = csv(folder, f"path\n{unicodedata.normalize(asked, 'größe/É.png')}\n")
    assert records(path)[0].read() == BLUE


def test_a_name_that_is_there_as_it_is_written_is_meant(folder: Path) -> None:
    put(folder / "pics" / "RED.png", BLUE)
    put(folder / "pics\\red.png", BLUE)
    found = records(csv(folder, "path\npics/red.png\npics/RED.png\npics\\red.png\n"))
    assert [record.read() for record in found] == [RED, BLUE, BLUE]


def test_a_name_that_may_be_of_several_files_is_a_problem_that_names_them(folder: Path) -> None:
    put(folder / "pics" / "Red.png", BLUE)
    [record] = records(csv(folder, "path\npics/RED.PNG\n"))
    assert problem(record) == (
        f"the table names 'pics/RED.PNG', which may be any of {folder}/pics/Red.png, "
        f"{folder}/pics/red.png"
    )


@pytest.mark.parametrize(
    ("cell", "told"),
    [
        ("s3://bucket/red.png", "s3:// addresses are not read: s3://bucket/red.png. Give an https"),
        ("gs://bucket/red.png", "gs:// addresses are not read"),
        ("ftp://host/red.png", "ftp:// addresses are not read"),
        ("//host.example/red.png", "neither a path nor a whole URL. Give https://host.example/red"),
        ("\\\\nas\\share\\red.png", "neither a path nor a whole URL. Give https://nas/share/red"),
        ("pics/gone.png", "the table names a file that is not there"),
    ],
)
def test_an_address_that_is_not_read_says_what_is(folder: Path, cell: str, told: str) -> None:
    found = records(csv(folder, f"path\n{cell}\npics/red.png\n"))
    assert told in problem(found[0])
    assert found[1].read() == RED


@pytest.mark.parametrize("first", ["sep=;\n", "sep=;\r\n", "\ufeffSEP=;\r\n", '"sep=;"\n'])
def test_a_first_line_that_names_the_separator_is_understood(folder: Path, first: str) -> None:
    path = csv(folder, f"{first}path;note, with a comma\npics/red.png;1\npics/blue.png;2\n")
    assert metadata(path) == [{"note, with a comma": 1}, {"note, with a comma": 2}]
    assert sources.open(path).count() == 2
