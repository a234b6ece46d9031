"""Names in the order in which people read them."""

from bilderatlas.analysis import natural_order


def test_numbers_in_names_count_as_numbers() -> None:
    names = ["group 10", "group 2", "Group 1", "group 1b", "9", "10", "a", "", "²"]
    assert sorted(names, key=natural_order.key) == [
        "", "9", "10", "a", "Group 1", "group 1b", "group 2", "group 10", "²",
    ]  # fmt: skip


def test_an_order_does_not_depend_on_the_order_before() -> None:
    assert (
        sorted(["a", "A"], key=natural_order.key)
        == sorted(["A", "a"], key=natural_order.key)
        == ["A", "a"]
    )
    assert sorted(["01", "1"], key=natural_order.key) == sorted(["1", "01"], key=natural_order.key)
