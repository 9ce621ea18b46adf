"""Jigsaw parts: which patch comes where."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from reid_plugins_transformers.transreid.jigsaw import Jigsaw

from reidcore.errors import ConfigError


def numbered(count: int) -> torch.Tensor:
    return torch.arange(count)[None, :, None]


def test_an_even_row_is_moved_dealt_and_cut():
    # Four to the end, so 4 .. 7, 0 .. 3; then in turn from 4 5 6 7 and from 0 1 2 3.
    cut = Jigsaw(shift=5, groups=2, parts=4).cut(numbered(8))
    assert cut.flatten(2).tolist() == [[[4, 0], [5, 1], [6, 2], [7, 3]]]


def test_what_fills_an_odd_row_is_in_no_part():
    # 2 .. 6, 0, 1 and a filling; in turn from 2 3 4 5 and 6 0 1 x.
    cut = Jigsaw(shift=3, groups=2, parts=1).cut(numbered(7))
    assert cut.flatten().tolist() == [2, 6, 3, 0, 4, 1, 5]


def test_patches_that_no_part_has_room_for_are_left_out():
    cut = Jigsaw(shift=3, groups=2, parts=4).cut(numbered(7))
    assert cut.flatten(2).tolist() == [[[2], [6], [3], [0]]]


def test_more_groups_are_filled_with_the_last_patch_but_one():
    # From 0 1 2, 3 4 5 and 6 with twice 5.
    cut = Jigsaw(shift=1, groups=3, parts=1).cut(numbered(7))
    assert cut.flatten().tolist() == [0, 3, 6, 1, 4, 5, 2]


@given(st.integers(1, 60), st.integers(1, 8), st.integers(1, 4), st.integers(1, 6))
def test_parts_are_of_one_length_and_of_patches_of_the_image(count, shift, groups, parts):
    jigsaw = Jigsaw(min(shift, count), min(groups, count), min(parts, count))
    cut = jigsaw.cut(numbered(count))[0, :, :, 0]
    assert cut.shape == (jigsaw.parts, count // jigsaw.parts)
    assert set(cut.flatten().tolist()) <= set(range(count))
    if count % jigsaw.groups == 0:
        assert len(set(cut.flatten().tolist())) == cut.numel()


@pytest.mark.parametrize(
    ("jigsaw", "name"),
    [(Jigsaw(shift=9), "shift"), (Jigsaw(groups=0), "groups"), (Jigsaw(parts=9), "parts")],
)
def test_settings_beyond_the_patches_are_refused(jigsaw, name):
    with pytest.raises(ConfigError, match=rf"model\.jpm_{name} is .* of 8 patches"):
        jigsaw.check(8)
