"""Inception's blocks: branches, forks and residuals from their description."""

from __future__ import annotations

import pytest
import torch
from reid_plugins_zoo.inception_blocks import (
    MAX,
    MEAN,
    Branch,
    Branches,
    Conv,
    Residual,
    branches,
    chain,
    halving,
    unpadded,
)

MAPS = torch.randn(2, 4, 9, 7, generator=torch.Generator().manual_seed(0))


def test_branches_are_joined_in_their_order():
    block = Branches(4, branches([Conv(3)], [MEAN, Conv(2, (1, 7)), Conv(5, 3)], [MEAN])).eval()
    joined = block(MAPS)
    assert joined.shape == (2, block.c_out, 9, 7) == (2, 3 + 5 + 4, 9, 7)
    assert torch.equal(joined[:, :3], block.branch0(MAPS))
    assert torch.equal(joined[:, 8:], block.branch2(MAPS))
    assert {key.split(".conv")[0] for key in block.state_dict() if "conv" in key} == {
        "branch0",
        "branch1.1",
        "branch1.2",
    }


def test_a_branch_may_continue_another_which_is_then_not_joined():
    block = Branches(
        4,
        [
            Branch("stem", [Conv(6)]),
            Branch("wide", [Conv(2, (1, 3))], reads="stem"),
            Branch("high", [Conv(3, (3, 1))], reads="stem"),
        ],
    ).eval()
    joined = block(MAPS)
    stem = block.stem(MAPS)
    assert block.c_out == 5
    assert torch.equal(joined, torch.cat([block.wide(stem), block.high(stem)], 1))


@pytest.mark.parametrize(
    ("step", "size"),
    [
        (Conv(5, 3), (9, 7)),
        (Conv(5, (1, 7)), (9, 7)),
        (unpadded(5), (7, 5)),
        (halving(5), (4, 3)),
        (MAX, (4, 3)),
        (MEAN, (9, 7)),
    ],
)
def test_what_each_step_leaves_of_the_maps(step, size):
    layers, channels = chain(4, [step])
    assert layers(MAPS).shape == (2, channels, *size)


def test_a_mean_counts_the_pixels_that_are_there():
    layers, _ = chain(4, [MEAN])
    assert torch.equal(layers(torch.ones(1, 4, 3, 3)), torch.ones(1, 4, 3, 3))


def test_the_scale_weighs_what_a_residual_block_adds():
    torch.manual_seed(0)
    block = branches([Conv(3)], [Conv(2), Conv(3, 3)])
    once = Residual(4, block, scale=1.0, active=False).eval()
    thrice = Residual(4, block, scale=3.0, active=True).eval()
    thrice.load_state_dict(once.state_dict())
    added = once(MAPS) - MAPS
    assert added.abs().max() > 0.01
    torch.testing.assert_close(thrice(MAPS), (MAPS + 3 * added).clamp(min=0))
