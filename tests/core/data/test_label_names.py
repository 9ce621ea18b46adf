from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from reidcore.data.label_names import LabelNames, NumberedTexts
from reidcore.data.table import SampleTable, combined, rebased
from reidcore.errors import DataError


def named(*people: str, cameras: str = "ab") -> SampleTable:
    rows = [(f"{person}.jpg", number, number % 2) for number, person in enumerate(people)]
    names = LabelNames(dict(enumerate(people)), dict(enumerate(cameras)))
    return replace(SampleTable.of(rows), names=names)


def told(table: SampleTable) -> list[tuple[str, str]]:
    return [(table.names.pid(each.pid), table.names.camid(each.camid)) for each in table]


def test_labels_without_a_name_are_called_by_their_numbers() -> None:
    table = SampleTable.of([("a.jpg", np.int64(17), 3)])
    assert told(table) == [("17", "3")]
    assert LabelNames.of([("a.jpg", 17, 3)]) == LabelNames()


def test_names_go_along_with_rows_numbers_and_merging() -> None:
    table = named("anna", "ben", "carl", "dora")
    assert told(table.take(np.array([3, 1]))) == [("dora", "b"), ("ben", "b")]
    assert told(table[2:].relabelled()) == [("carl", "a"), ("dora", "b")]
    assert table[2:].relabelled().pids.tolist() == [0, 1]
    assert told(table.shifted(5, 7)) == told(table)
    other = named("eve", "finn", cameras="xy")
    assert told(SampleTable.joined(rebased([table, other]))) == told(table) + told(other)
    test = replace(named("gus", "hana"), pids=np.array([0, 1]))
    assert told(combined(table, test[:1], test[1:], ())) == told(table) + told(test)


@pytest.mark.parametrize(
    ("texts", "numbers"),
    [
        (["7", "007", " 7 ", "7.0"], [7, 7, 7, 7]),
        (["-1", "+3", "0"], [-1, 3, 0]),
        ([str(2**63 - 1)], [2**63 - 1]),
        (["b", "a", "-1.0", "a  b"], [2, 0, -1, 1]),
        (["7", "007", "x"], [1, 0, 2]),
        (["ann lee", "ann  lee", " ann lee ", "ann\u3000lee"], [1, 0, 1, 2]),
        (["-2", "x", "-1"], [0, 1, -1]),
        ([str(2**63), "9" * 5000], [0, 1]),
    ],
)
def test_texts_are_numbers_or_all_of_them_names(texts: list[str], numbers: list[int]) -> None:
    read = NumberedTexts.of(texts, lowest=-1)
    assert [read.numbers[text] for text in texts] == numbers
    assert not read.wrong


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "is empty"),
        ("NaN", "no value"),
        ("1.5", "is no whole number"),
        ("-2", "is below -1"),
        ("9" * 5000 + ".0", "lost digits"),
        ("a\x1b[31m", "cannot be shown"),
        ("a\tb", "cannot be shown"),
    ],
)
def test_what_is_neither_is_told(text: str, why: str) -> None:
    read = NumberedTexts.of(["1", text], lowest=-1)
    assert why in read.wrong[text]
    assert read.numbers[text] == 0


def test_a_label_of_more_than_64_bits_in_a_sample_is_told() -> None:
    with pytest.raises(DataError, match=r"'train' has pid=100000000000000000000, .* 64 bits"):
        SampleTable.of([("a.jpg", 1, 0), ("b.jpg", 10**20, 0)], "'train'")


def test_merged_with_a_named_table_a_table_of_numbers_keeps_what_it_shows() -> None:
    bare = SampleTable.of([("x.jpg", 3, 1), ("y.jpg", 7, 5)])
    table = named("anna", "ben", cameras="12")
    for tables in ([table, bare], [bare, table], [bare, table, bare]):
        whole = SampleTable.joined(rebased(tables))
        assert told(whole) == [each for one in tables for each in told(one)]
    assert rebased([bare, bare])[1].names == LabelNames()
    people = [pid for pid, _ in [*told(table), *told(bare)]]
    assert [pid for pid, _ in told(combined(table, bare[:1], bare[1:], ()))] == people
    train = SampleTable.of([("x.jpg", 0, 1)])  # cameras of one dataset have one name
    assert told(combined(train, table[:1], table[1:], ())) == [("0", "2"), *told(table)]
