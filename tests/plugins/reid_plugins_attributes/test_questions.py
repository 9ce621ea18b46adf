"""Questions out of columns, and their answers."""

from __future__ import annotations

import logging

import numpy as np
import pytest
import torch
from reid_plugins_attributes.questions import Question, answers_in, questions_of

from reidcore.data import SampleTable
from reidcore.errors import DataError


def table(**columns):
    rows = len(next(iter(columns.values())))
    samples = [(f"{row}.jpg", row, 0) for row in range(rows)]
    named = {name: np.array(values) for name, values in columns.items()}
    return SampleTable.of(SampleTable.of(samples), columns=named)


def test_two_values_are_one_question_and_more_are_one_each():
    found = questions_of(
        table(attribute_hat=[0, 1, 0], attribute_bag=[1, 2, -1], attribute_age=[0, 1, 3])
    )
    assert found == (
        Question("age=0", "attribute_age", 0),
        Question("age=1", "attribute_age", 1),
        Question("age=3", "attribute_age", 3),
        Question("bag", "attribute_bag", 2, 1),
        Question("hat", "attribute_hat", 1, 0),
    )


def test_what_is_alike_in_all_images_is_left_out_and_told(caplog):
    with caplog.at_level(logging.WARNING):
        found = questions_of(table(attribute_hat=[0, 1], attribute_boots=[1, 1], frame=[1, 2]))
    assert [each.name for each in found] == ["hat"]
    assert "1 of 2 attributes" in caplog.text
    assert "'boots'" in caplog.text


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        ({"frame": [1, 2]}, "no attributes to learn.*market1501.attributes=true"),
        ({"attribute_hat": [1, 1]}, "no attributes to learn"),
        ({"attribute_hat": [1.0, 0.5]}, "'attribute_hat' holds 0.5"),
        ({"attribute_hat": [1.0, np.nan]}, "'attribute_hat' holds nan"),
        ({"attribute_hat": [1.0, 0.0]}, "'attribute_hat' holds 1.0"),
        ({"attribute_hat": ["1", "-1", "yes"]}, "'attribute_hat' holds 'yes'"),
    ],
)
def test_a_table_without_attributes_is_refused(columns, said):
    with pytest.raises(DataError, match=said):
        questions_of(table(**columns))


def test_answers_are_yes_no_or_unknown_of_arrays_and_tensors_alike():
    columns = {"attribute_hat": [0, 1, -1], "attribute_age": [0, 2, 1]}
    questions = [
        Question("hat", "attribute_hat", 1),
        Question("age=2", "attribute_age", 2),
        Question("boots", "attribute_boots", 1),
    ]
    wanted = [[0, 0, -1], [1, 1, -1], [-1, 0, -1]]
    arrays = {name: np.array(values) for name, values in columns.items()}
    tensors = {name: torch.tensor(values) for name, values in columns.items()}
    assert answers_in(arrays, questions).tolist() == wanted
    assert answers_in(tensors, questions).tolist() == wanted


def test_a_value_that_was_never_learnt_is_unknown():
    columns = {
        "attribute_hat": np.array([2, 1, 0, 7, -1]),
        "attribute_age": np.array([2, 1, 0, 7, -1]),
    }
    questions = [Question("hat", "attribute_hat", 2, 1), Question("age=2", "attribute_age", 2)]
    assert answers_in(columns, questions).tolist() == [[1, 1], [0, 0], [-1, 0], [-1, 0], [-1, -1]]
