"""Conditions on facts and metadata: what they find, and what they cannot do."""

from __future__ import annotations

import json
import resource
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from bilderatlas.errors import QueryError, ServerBusy, StoreError
from bilderatlas.storage import where
from bilderatlas.storage.where import FactsTable, between, during, equals

PLACES = pa.schema(
    [
        *((name, pa.string()) for name in ("image_id", "path", "source", "media_type", "taken_at")),
        *((name, pa.int32()) for name in ("width", "height")),
        ("metadata", pa.string()),
    ]
)


def row(image_id: str, metadata: dict[str, Any] | None = None, **facts: Any) -> dict[str, Any]:
    usual: dict[str, Any] = {
        "path": f"/pics/{image_id}.png",
        "source": "/pics",
        "width": 640,
        "height": 480,
        "media_type": "image/png",
        "taken_at": None,
    }
    return {"image_id": image_id, "metadata": json.dumps(metadata or {})} | usual | facts


def table_of(rows: Iterable[dict[str, Any]]) -> FactsTable:
    places = pa.Table.from_pylist(list(rows), PLACES)
    return FactsTable(places, where.kinds_of(places["metadata"]))


def described(*metadata: dict[str, Any]) -> FactsTable:
    return table_of(row("abcdefgh"[n], each) for n, each in enumerate(metadata))


def found(table: FactsTable, where: str) -> str:
    """The letters of the places that fulfil a condition."""
    return "".join("abcdefgh"[n] for n in table.matching(where).nonzero()[0])


def refusal(table: FactsTable, where: str) -> str:
    with pytest.raises(QueryError) as refused:
        table.matching(where)
    return str(refused.value)


@pytest.mark.parametrize(
    ("where", "those"),
    [
        ("width > 1000", "b"),
        ("width > 1000 OR path LIKE '%c.png'", "bc"),
        ("taken_at >= '2019-01-01'", "c"),
        ("taken_at IS NULL", "ab"),
        ("media_type IN ('image/jpeg')", "b"),
        ("image_id = 'a' -- only one", "a"),
        ("1", "abc"),
        ("0", ""),
        ("width > (SELECT avg(width) FROM places)", "b"),
    ],
)
def test_conditions_on_facts(where: str, those: str) -> None:
    table = table_of(
        [
            row("a"),
            row("b", width=4000, media_type="image/jpeg"),
            row("c", taken_at="2019-05-06 07:08:09"),
        ]
    )
    assert found(table, where) == those


@pytest.mark.parametrize(
    "where", ["price < 20", "price < '20'", "price BETWEEN 8 AND 10", "price = 9", "price = '9.0'"]
)
def test_numbers_compare_as_numbers_however_they_are_written(where: str) -> None:
    assert found(described({"price": 9}, {"price": 120.5}, {"price": None}, {}), where) == "a"


@pytest.mark.parametrize("where", ["code = 12", "code = '12'", "code LIKE '12%'"])
def test_a_column_of_numbers_and_text_is_of_text(where: str) -> None:
    table = described({"code": 12}, {"code": "A7"}, {"code": "007"})
    assert found(table, where) == "a"
    assert found(table, "code = '007'") == "c"
    assert found(table, "code = 7") == ""


@pytest.mark.parametrize(
    "where",
    [
        "lower(name) = 'ångström' OR upper(name) LIKE 'ANN%'",
        "length(name) = 4 AND substr(name, 1, 1) = 'A'",
        "strftime('%Y', day) = '2019'",
        "tags ->> 0 = 'cat'",
        "coalesce(price, 0) > 1 AND round(price) = 3",
    ],
)
def test_the_usual_functions_are_there(where: str) -> None:
    one = {"name": "Anna", "day": "2019-05-06", "tags": ["cat"], "price": 2.7}
    other = {"name": "Bo", "day": "2020-01-01", "tags": ["dog"], "price": 1}
    assert found(described(one, other), where) == "a"


def test_lists_and_truths_can_be_asked_for() -> None:
    table = described({"tags": ["cat", "dog"], "sold": True}, {"tags": [], "sold": False})
    assert found(table, "tags LIKE '%cat%'") == "a"
    assert found(table, "sold") == "a"


def test_numbers_of_any_size_are_held() -> None:
    table = described({"n": 2**64}, {"n": -(2**70)}, {"n": 1})
    assert found(table, "n > 2") == "a"


@pytest.mark.parametrize(
    ("name", "column"),
    [
        ("unit price", '"unit price"'),
        ('12" vinyl', '"12"" vinyl"'),
        ("it's", '"it\'s"'),
        ("select", '"select"'),
        ("größe", "größe"),
        ("", '""'),
        ("a]b", '"a]b"'),
        ("x); DROP TABLE places; --", '"x); DROP TABLE places; --"'),
        ("nul\0l", '"null"'),
        ("width", "metadata_width"),
        ("Path", "metadata_Path"),
        ("metadata", "metadata"),
        ("rowid", "rowid"),
    ],
)
def test_a_metadata_column_may_have_any_name(name: str, column: str) -> None:
    assert found(described({name: 5}, {name: 6}), f"{column} = 5") == "a"


def test_columns_that_differ_by_case_are_told_apart() -> None:
    table = described({"Size": 1, "size": 2, "metadata_size": 3})
    assert table.columns[-3:] == ["Size", "metadata_size", "metadata_metadata_size"]
    assert found(table, "Size = 1 AND metadata_size = 2 AND metadata_metadata_size = 3") == "a"


def test_a_column_that_is_not_there_is_refused_with_those_that_are() -> None:
    told = refusal(described({"price": 1}), "prize < 3")
    assert "no such column: prize" in told
    assert told.endswith(
        "Columns: image_id, path, source, width, height, media_type, taken_at, price."
    )


def test_more_columns_than_sqlite_takes_are_refused() -> None:
    with pytest.raises(
        QueryError, match=r"3,000 metadata columns; conditions work with up to 1,992"
    ):
        described({f"c{n}": n for n in range(3000)})


@pytest.mark.parametrize(
    "where",
    [
        "", "   ", ")", "(", "width >", "'open", "width = 1)) OR ((1=1",
        "1=1); DROP TABLE places; --",
        "1=1); DELETE FROM places; SELECT (1",
        "1=1); ATTACH '{file}' AS other; --",
        "1=1) UNION SELECT sql FROM sqlite_master WHERE (load_extension('{file}')",
        "load_extension('{file}')",
        "writefile('{file}', 'x')",
        "(SELECT count(*) FROM pragma_database_list)",
        "(SELECT count(*) FROM sqlite_master)",
        "x IN (WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT x FROM n)",
        "length(zeroblob(1000000000))", "length(printf('%.*c', 1000000000, 'x'))",
        "(" * 5000 + "1" + ")" * 5000,
        "path REGEXP 'x'", "path MATCH 'x'",
    ],
)  # fmt: skip
def test_what_is_no_condition_is_refused_and_does_nothing(where: str, tmp_path: Path) -> None:
    table = described({"price": 1})
    started = time.monotonic()
    assert "cannot be used" in refusal(table, where.format(file=tmp_path / "file"))
    assert time.monotonic() - started < 1
    assert list(tmp_path.iterdir()) == []
    assert found(table, "price = 1") == "a"


@pytest.mark.parametrize(
    "where", ["1=0) UNION SELECT 5 WHERE (1=1", "1=0) UNION SELECT x'00' WHERE (1=1"]
)
def test_what_is_smuggled_in_is_no_image(where: str) -> None:
    assert found(described({"price": 1}), where) == ""


@pytest.mark.parametrize("where", ["\0", "width\0", "path = 'caf\udce9'"])
def test_what_is_no_text_is_no_condition(where: str) -> None:
    assert "which is not a valid character" in refusal(described({"price": 1}), where)


SHORT = f"'{'a' * 180}'"
LONG = f"replace(replace({SHORT}, 'a', {SHORT}), 'a', {SHORT})"
LONGER = f"substr({LONG}, 1, 3000000) || 'b'"


@pytest.mark.parametrize(
    "where",
    [
        f"instr({LONG}, {LONGER}) > 0",  # one call of a function that takes hours
        f"length(replace({LONG}, {LONGER}, 'x')) > 0",
        f"(SELECT count(*) FROM {', '.join(f'places p{n}' for n in range(20))}) > 0",
        "1) UNION ALL SELECT p.number FROM "
        f"{', '.join(f'places p{n}' for n in range(20))} CROSS JOIN places AS p WHERE (1",
    ],
)
def test_an_endless_condition_is_broken_off(where: str) -> None:
    table = described(*[{"n": n} for n in range(8)])
    started = time.monotonic()
    with pytest.raises(QueryError, match=r"it takes longer than 0\.5 s"):
        table.matching(where, timeout_s=0.5)
    assert time.monotonic() - started < 2
    assert found(table, "n = 3") == "d"


@pytest.mark.parametrize(
    "where",
    [
        "(SELECT count(DISTINCT a.path || b.path || "
        f"replace({SHORT}, 'a', {SHORT})) FROM places a, places b) > 0",
        f"(SELECT count(*) FROM (SELECT {LONG} || a.path FROM places a, places b ORDER BY 1)) > 0",
    ],
)
def test_a_condition_gets_no_more_memory_than_there_is_for_one(where: str) -> None:
    table = table_of(row(f"{n:03}") for n in range(200))
    assert "it takes more than 400 MB of memory" in refusal(table, where)
    assert sum(table.matching("path LIKE '%007.png'")) == 1


def test_a_machine_that_starts_no_process_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.executable", "/nowhere/python")
    with pytest.raises(ServerBusy, match=r"No process can be started for the condition: .*nowhere"):
        described({"n": 1}).matching("n = 1")


def test_the_table_goes_when_nobody_asks_it_any_more() -> None:
    table = described({"n": 1})
    folder = table._file.parent
    assert [file.name for file in folder.iterdir()] == ["facts.sqlite"]
    del table
    assert not folder.exists()


def test_a_disk_that_does_not_take_the_table_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "nowhere"))
    with pytest.raises(StoreError, match=r"nowhere.* TMPDIR"):
        described({"n": 1})
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, hard))
    try:
        with pytest.raises(StoreError, match=r"10,000 places cannot be kept.* TMPDIR"):
            table_of(row(f"{n:05}") for n in range(10_000))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert list(tmp_path.iterdir()) == []


def test_facets_are_the_columns_with_their_most_frequent_values() -> None:
    table = described(
        {"town": "Ulm", "year": 1950, "title": "one"},
        {"town": "Bonn", "year": 1951},
        {"town": "Ulm", "year": 1950},
        {"year": 1952.5},
    )
    facets = {facet.column: facet for facet in table.facets()}
    assert list(facets) == ["town", "year"]  # all else is the same everywhere, or there once
    town, year = facets["town"], facets["year"]
    assert [(each.value, each.n_places) for each in town.values] == [("Ulm", 2), ("Bonn", 1)]
    assert (town.is_number, town.n_values, town.low, town.high) == (False, 2, "Bonn", "Ulm")
    assert (year.is_number, year.n_values, year.low, year.high) == (True, 3, 1950, 1952.5)


def test_a_column_in_which_all_differ_has_no_frequent_values() -> None:
    table = table_of(row(f"{n:03}", {"title": f"no. {n}", "half": n // 2}) for n in range(40))
    facets = {facet.column: facet for facet in table.facets()}
    assert facets["title"].values == ()
    assert facets["title"].n_values == 40
    assert len(facets["half"].values) == 12  # the most frequent of 20


def test_facets_can_be_read_after_a_condition_took_too_long() -> None:
    table = table_of(row(f"{n:04}", {"n": n % 9}) for n in range(4000))
    with pytest.raises(QueryError):
        table.matching("(SELECT count(*) FROM places a, places b) > 0", timeout_s=0.01)
    assert [facet.column for facet in table.facets()] == ["n"]


@pytest.mark.parametrize(
    ("condition", "those"),
    [
        (equals("town", "Ulm"), "a"),
        (equals("town", 'it\'s "here"'), "b"),
        (equals("year", "1951"), "b"),
        (between("year", 1951, None), "bc"),
        (between("year", None, 1951.5), "ab"),
        (between("year", 1951, 1951), "b"),
        (during("when", "1954", None), "bc"),
        (during("when", None, "1954"), "ab"),
        (during("when", "1954-06", "1955-01"), "bc"),
        (during("when", "1954-07", "1954-12"), ""),
    ],
)
def test_conditions_can_be_put_together_from_values(condition: str, those: str) -> None:
    table = described(
        {"town": "Ulm", "year": 1950, "when": "1953-12-31"},
        {"town": 'it\'s "here"', "year": 1951, "when": "1954-06-30 10:00:00"},
        {"town": "Bonn", "year": 1952, "when": "1955-01-02"},
    )
    assert found(table, condition) == those
