"""The yes-or-no questions that a table's columns ``attribute_*`` are made of.

A column of two values is one question, whose answer is yes where the value is the greater one. A
column of more is a question for each of them: ``age`` becomes ``age=0``, ``age=1``... Negative
values are unknown, and so are, where two were learnt, values other than these.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from reidcore.data import SampleTable, first_names
from reidcore.errors import DataError, quoted

# Below the core's logger, so that a bare script shows what a run tells of itself.
_log = logging.getLogger(f"reidcore.{__name__}")

PREFIX = "attribute_"
"""What the names of the columns begin with."""

UNKNOWN = -1
"""The answer where nobody knows."""

Answers: TypeAlias = npt.NDArray[np.int8]
"""(N, A): 1 for yes, 0 for no, -1 for unknown."""


@dataclass(frozen=True)
class Question:
    """Whether an image has an attribute.

    Attributes:
        name: what it is called, such as ``backpack``.
        column: of the table.
        yes: the value that means yes.
        no: the one that means no; None where all other known ones do.
    """

    name: str
    column: str
    yes: int
    no: int | None = None


def questions_of(table: SampleTable) -> tuple[Question, ...]:
    """Return what can be learnt of a table's attributes, by the names of its columns.

    Columns with one answer for all images are left out, and that is told.

    Raises:
        DataError: if the table has no attribute, or one whose values are no whole numbers.
    """
    columns = {name: table.columns[name] for name in sorted(table.columns) if _is_attribute(name)}
    found: list[Question] = []
    constant = []
    for column, values in columns.items():
        if values.dtype.kind not in "iub":
            raise DataError(
                f"the column {column!r} holds {quoted(_first_odd(values))}, and attributes are "
                "whole numbers",
                "Give 0 and 1, or -1 for unknown.",
            )
        name, known = column.removeprefix(PREFIX), np.unique(values[values >= 0]).tolist()
        if len(known) == 2:
            found.append(Question(name, column, int(known[1]), int(known[0])))
        elif len(known) > 2:
            found += [Question(f"{name}={value}", column, int(value)) for value in known]
        else:
            constant.append(name)
    if constant:
        _log.warning(
            "Left out %d of %d attributes, which are alike in all training images: %s",
            len(constant),
            len(columns),
            first_names(constant, len(constant)),
        )
    if not found:
        raise DataError(
            "the training images have no attributes to learn",
            f"Choose a dataset with columns {PREFIX}*, such as pa100k, or "
            "market1501.attributes=true.",
        )
    return tuple(found)


def answers_in(columns: Mapping[str, Any], questions: Sequence[Question]) -> Answers:
    """Return the answers (N, A) that columns hold.

    Unknown is what a missing column says, and a value that neither means yes nor no.

    Args:
        columns: name -> N values, an array or a tensor.
        questions: A of them; at least one of their columns is there.
    """
    asked = {each.column for each in questions if each.column in columns}
    known = {column: np.asarray(columns[column]) for column in asked}
    rows = len(next(iter(known.values())))
    answers = np.full((rows, len(questions)), UNKNOWN, dtype=np.int8)
    for place, question in enumerate(questions):
        values = known.get(question.column)
        if values is not None:
            is_no = values >= 0 if question.no is None else values == question.no
            answers[is_no, place] = 0
            answers[values == question.yes, place] = 1
    return answers


def _first_odd(values: npt.NDArray[Any]) -> Any:
    """Return the first of a column's values that is no whole number; the first if all are."""
    for value in values.tolist():
        if not str(value).lstrip("+-").removesuffix(".0").isdecimal():
            return value
    return values.tolist()[0]


def _is_attribute(column: str) -> bool:
    return column.startswith(PREFIX)
