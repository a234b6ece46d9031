"""Conditions on facts and metadata: what they find, and what they cannot do."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest

from bilderatlas.errors import QueryError
from bilderatlas.filters import FactsTable, between, during, equals


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


def described(*metadata: dict[str, Any]) -> FactsTable:
    return FactsTable(row("abcdefgh"[n], each) for n, each in enumerate(metadata))


def refusal(table: FactsTable, where: str) -> str:
    with pytest.raises(QueryError) as refused:
        table.matching(where)
    return str(refused.value)


@pytest.mark.parametrize(
    ("where", "found"),
    [
        ("width > 1000", {"b"}),
        ("width > 1000 OR path LIKE '%c.png'", {"b", "c"}),
        ("taken_at >= '2019-01-01'", {"c"}),
        ("taken_at IS NULL", {"a", "b"}),
        ("media_type IN ('image/jpeg')", {"b"}),
        ("image_id = 'a' -- only one", {"a"}),
        ("1", {"a", "b", "c"}),
        ("0", set()),
        ("width > (SELECT avg(width) FROM places)", {"b"}),
    ],
)
def test_conditions_on_facts(where: str, found: set[str]) -> None:
    table = FactsTable(
        [
            row("a"),
            row("b", width=4000, media_type="image/jpeg"),
            row("c", taken_at="2019-05-06 07:08:09"),
        ]
    )
    assert table.matching(where) == found


def test_an_image_is_found_by_any_of_its_places() -> None:
    table = FactsTable([row("a", {"size": "S"}), row("a", {"size": "M"}), row("b", {"size": "L"})])
    assert table.matching("size = 'M'") == {"a"}


@pytest.mark.parametrize(
    "where", ["price < 20", "price < '20'", "price BETWEEN 8 AND 10", "price = 9", "price = '9.0'"]
)
def test_numbers_compare_as_numbers_however_they_are_written(where: str) -> None:
    assert described({"price": 9}, {"price": 120.5}, {"price": None}, {}).matching(where) == {"a"}


@pytest.mark.parametrize("where", ["code = 12", "code = '12'", "code LIKE '12%'"])
def test_a_column_of_numbers_and_text_is_of_text(where: str) -> None:
    table = described({"code": 12}, {"code": "A7"}, {"code": "007"})
    assert table.matching(where) == {"a"}
    assert table.matching("code = '007'") == {"c"}
    assert table.matching("code = 7") == set()


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
    assert described(one, other).matching(where) == {"a"}


def test_lists_and_truths_can_be_asked_for() -> None:
    table = described({"tags": ["cat", "dog"], "sold": True}, {"tags": [], "sold": False})
    assert table.matching("tags LIKE '%cat%'") == {"a"}
    assert table.matching("sold") == {"a"}


def test_numbers_of_any_size_are_held() -> None:
    table = described({"n": 2**64}, {"n": -(2**70)}, {"n": 1})
    assert table.matching("n > 2") == {"a"}


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
    assert described({name: 5}, {name: 6}).matching(f"{column} = 5") == {"a"}


def test_columns_that_differ_by_case_are_told_apart() -> None:
    table = described({"Size": 1, "size": 2, "metadata_size": 3})
    assert table.columns[-3:] == ["Size", "metadata_size", "metadata_metadata_size"]
    assert table.matching("Size = 1 AND metadata_size = 2 AND metadata_metadata_size = 3") == {"a"}


def test_a_column_that_is_not_there_is_refused_with_those_that_are() -> None:
    told = refusal(described({"price": 1}), "prize < 3")
    assert "no such column: prize" in told
    assert told.endswith(
        "Columns: image_id, path, source, width, height, media_type, taken_at, price."
    )


def test_more_columns_than_sqlite_takes_are_refused() -> None:
    with pytest.raises(
        QueryError, match=r"3,000 metadata columns; conditions work with up to 1,993"
    ):
        described({f"c{n}": n for n in range(3000)})


@pytest.mark.parametrize(
    "where",
    [
        "", "   ", ")", "(", "width >", "'open", "width = 1)) OR ((1=1",
        "\0", "width\0", "caf\udce9",
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
    assert table.matching("price = 1") == {"a"}


@pytest.mark.parametrize(
    "where", ["1=0) UNION SELECT 5 WHERE (1=1", "1=0) UNION SELECT x'00' WHERE (1=1"]
)
def test_what_is_smuggled_in_is_no_image(where: str) -> None:
    assert described({"price": 1}).matching(where) == set()


def test_an_endless_condition_is_broken_off() -> None:
    table = described(*[{"n": n} for n in range(8)])
    crowd = ", ".join(f"places p{n}" for n in range(20))
    started = time.monotonic()
    with pytest.raises(QueryError, match=r"it takes longer than 0\.2 s"):
        table.matching(f"(SELECT count(*) FROM {crowd}) > 0", timeout_s=0.2)
    assert time.monotonic() - started < 2
    assert table.matching("n = 3") == {"d"}


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
    table = FactsTable(row(f"{n:03}", {"title": f"no. {n}", "half": n // 2}) for n in range(40))
    facets = {facet.column: facet for facet in table.facets()}
    assert facets["title"].values == ()
    assert facets["title"].n_values == 40
    assert len(facets["half"].values) == 12  # the most frequent of 20


def test_facets_can_be_read_after_a_condition_took_too_long() -> None:
    table = FactsTable(row(f"{n:04}", {"n": n % 9}) for n in range(4000))
    with pytest.raises(QueryError):
        table.matching("(SELECT count(*) FROM places a, places b) > 0", timeout_s=0.01)
    assert [facet.column for facet in table.facets()] == ["n"]


@pytest.mark.parametrize(
    ("condition", "found"),
    [
        (equals("town", "Ulm"), {"a"}),
        (equals("town", 'it\'s "here"'), {"b"}),
        (equals("year", "1951"), {"b"}),
        (between("year", 1951, None), {"b", "c"}),
        (between("year", None, 1951.5), {"a", "b"}),
        (between("year", 1951, 1951), {"b"}),
        (during("when", "1954", None), {"b", "c"}),
        (during("when", None, "1954"), {"a", "b"}),
        (during("when", "1954-06", "1955-01"), {"b", "c"}),
        (during("when", "1954-07", "1954-12"), set()),
    ],
)
def test_conditions_can_be_put_together_from_values(condition: str, found: set[str]) -> None:
    table = described(
        {"town": "Ulm", "year": 1950, "when": "1953-12-31"},
        {"town": 'it\'s "here"', "year": 1951, "when": "1954-06-30 10:00:00"},
        {"town": "Bonn", "year": 1952, "when": "1955-01-02"},
    )
    assert table.matching(condition) == found
