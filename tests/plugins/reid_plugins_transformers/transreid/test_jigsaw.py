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


def test_an_odd_row_is_filled_with_its_last_patch_but_one():
    # 2 .. 6, 0, 1 and once more 0; from 2 3 4 5 and 6 0 1 0. The three patches beyond 4 are left.
    cut = Jigsaw(shift=3, groups=2, parts=4).cut(numbered(7))
    assert cut.flatten(2).tolist() == [[[2], [6], [3], [0]]]


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
