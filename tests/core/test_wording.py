"""Whatever a message quotes, it stays short, is made quickly and never fails itself."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from reidcore._wording import bounded, joined, one_of
from reidcore.errors import UserError, counted, quoted

HUGE = 10**7


def nested() -> list[Any]:
    """Ten billion values, each list holding one other ten times."""
    laughs: list[Any] = ["ha"] * 10
    for _ in range(9):
        laughs = [laughs] * 10
    return laughs


def circular() -> dict[str, Any]:
    own: dict[str, Any] = {"a": 1}
    own["own"] = own
    return own


class Broken:
    def __repr__(self) -> str:
        raise RuntimeError("no")


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ("a", "'a'"),
        (["a", 1, None, 2.5, True], "['a', 1, None, 2.5, True]"),
        (("a",), "('a',)"),
        ({"b": 1, "a": [2]}, "{'b': 1, 'a': [2]}"),
        (Path("a/b"), "'a/b'"),
        ("a\x1b[31m\udcff", r"'a\x1b[31m\udcff'"),
        (-(10**40), str(-(10**40))),
        (10**5000, "a number of some 5,000 digits"),
        ([10**5000], "[a number of some 5,000 digits]"),
        (torch.zeros(2, 3), "a tensor (2, 3)"),
        (np.zeros((2, 3)), "a ndarray (2, 3)"),
        ("x" * 500_000, f"'{'x' * 200}'... (500,000 characters)"),
        ([7] * 500_000, f"[{'7, ' * 8}...] (500,000 items)"),
        (
            dict.fromkeys(range(9), 7),
            f"{{{', '.join(f'{k}: 7' for k in range(8))}, ...}} (9 items)",
        ),
    ],
    ids=range(14),
)
def test_a_value_is_quoted_as_python_writes_it_and_in_few_characters(value: Any, told: str) -> None:
    assert quoted(value) == told


@pytest.mark.parametrize(
    "value",
    [
        "\U0010ffff" * HUGE,
        b"x" * HUGE,
        ["x" * 1000] * 1000,
        [["x" * 1000] * 1000] * 1000,
        {"x" * 1000: "y" * 1000},
        {f"{n}" * 100 for n in range(100)},
        nested(),
        circular(),
        Broken(),
        [Broken()],
    ],
    ids=lambda value: type(value).__name__,
)
def test_the_largest_value_is_quoted_in_few_characters_at_once(value: Any) -> None:
    began = time.process_time()
    assert len(quoted(value)) < 500
    assert time.process_time() - began < 0.5


def test_a_count_agrees_with_its_noun() -> None:
    assert counted(1, "epoch") == "1 epoch"
    assert counted(0, "epoch") == "0 epochs"
    assert counted(1200, "identity", "identities") == "1,200 identities"


def test_one_of_several_is_named_by_their_noun() -> None:
    assert one_of("images of identities 1 and 2") == "image of identities 1 and 2"
    assert one_of("gallery images") == "gallery image"
    assert one_of("queries") == "query"


def test_words_are_joined_as_in_a_sentence() -> None:
    assert joined(["a"]) == "a"
    assert joined(["a", "b"], "or") == "a or b"
    assert joined(["a", "b", "c"]) == "a, b and c"


def test_an_error_stays_readable_whatever_a_plugin_puts_into_it() -> None:
    error = UserError(f"no dataset {'x' * 500_000!r} is there", "Did you mean a?\n" + "b" * 10**6)
    assert len(str(error)) < 5000
    assert str(error).startswith("no dataset 'xxx")
    assert "characters) ..." in error.what
    assert error.what.endswith("x' is there")
    assert "Did you mean a?\n" in str(error)


def test_many_short_lines_of_a_message_are_kept() -> None:
    lines = "\n".join(f"mistake {n}" for n in range(1000))
    assert bounded(lines) == lines
