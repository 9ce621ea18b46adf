"""Positions for grids of other sizes."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from reid_plugins_transformers.vit.positions import learnt_grid, resampled_positions


def cubic(distance: float) -> float:
    """Weight of a sample by its distance: Keys' kernel with a = -1/2, as antialiasing has it."""
    x = abs(distance)
    if x <= 1:
        return 1.5 * x**3 - 2.5 * x**2 + 1
    return -0.5 * x**3 + 2.5 * x**2 - 4 * x + 2 if x < 2 else 0.0


def along(count: int, wanted: int) -> np.ndarray:
    """Return the weights (wanted, count) of a line's samples; a smaller line sees wider ones."""
    stretch = max(1.0, count / wanted)
    centres = (np.arange(wanted) + 0.5) * count / wanted - 0.5
    weights = np.array([[cubic((k - c) / stretch) for k in range(count)] for c in centres])
    return weights / weights.sum(1, keepdims=True)


@pytest.mark.parametrize(("before", "after"), [((14, 14), (16, 8)), ((16, 8), (21, 10))])
def test_they_are_interpolated_bicubically_and_the_first_token_stays(before, after):
    generator = torch.Generator().manual_seed(0)
    learnt = torch.randn(1, 1 + before[0] * before[1], 3, generator=generator)
    found = resampled_positions(learnt, after, 1)
    assert found is not None
    grid = learnt[0, 1:].reshape(*before, 3).numpy()
    expected = np.einsum(
        "ab,cd,bde->ace", along(before[0], after[0]), along(before[1], after[1]), grid
    )
    assert torch.equal(found[:, 0], learnt[:, 0])
    np.testing.assert_allclose(found[0, 1:].numpy(), expected.reshape(-1, 3), atol=1e-5)


def test_positions_of_the_same_number_on_another_grid_are_interpolated_as_well():
    learnt = torch.arange(37.0)[None, :, None]
    same = resampled_positions(learnt, (6, 6), 1)
    assert same is not None
    assert torch.equal(same, learnt)


@pytest.mark.parametrize(
    ("patches", "own", "grid"),
    [
        (128, (24, 8), (16, 8)),  # 256x128
        (196, (16, 8), (14, 14)),  # 224x224
        (192, (16, 8), (24, 8)),  # 384x128
        (210, (16, 8), (21, 10)),  # 256x128, patches 12 apart
        (441, (16, 16), (21, 21)),  # 256x256, likewise
        (242, (16, 8), (22, 11)),  # 256x128, 11 apart
        (45, (9, 5), (9, 5)),  # one's own
        (180, (9, 5), (18, 10)),  # of one's own proportions
        (144, (24, 6), (24, 6)),  # likewise, though it might be a square
        (98, (16, 16), (14, 7)),  # twice as high as wide
        (25, (16, 8), (5, 5)),  # a square
        (47, (16, 8), None),
        (0, (16, 8), None),
    ],
)
def test_the_grid_is_told_by_the_number_of_patches(patches, own, grid):
    assert learnt_grid(patches, own) == grid


def test_what_is_of_no_known_grid_is_left():
    assert resampled_positions(torch.zeros(1, 48, 3), (16, 8), 1) is None
