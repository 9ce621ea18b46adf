"""The gate of an export: how far its features may be from PyTorch's."""

from __future__ import annotations

import math

import pytest
import torch
from reid_plugins_export.parity import Parity, check_parity, measure_parity

from reidcore.errors import UserError


@pytest.mark.parametrize(
    ("difference", "cosine", "resizes", "passes"),
    [
        (9e-5, 1.0, False, True),
        (2e-4, 1.0, False, False),
        (2e-4, 1.0, True, True),  # a pixel that was rounded the other way
        (2e-3, 1.0, True, False),
        (9e-5, 0.9999, True, False),
        (math.nan, 1.0, True, False),
    ],
)
def test_features_are_equal_but_for_what_a_resize_rounds(difference, cosine, resizes, passes):
    if passes:
        check_parity(Parity(difference, cosine), "fp32", resizes)
        return
    with pytest.raises(UserError, match="are not PyTorch's"):
        check_parity(Parity(difference, cosine), "fp32", resizes)


class Short:
    """A network whose features all but vanish, and a backend that gives the same, turned or not."""

    takes = "normalised"
    feature_dim = 2

    def __init__(self, turned: bool) -> None:
        self.turned = turned

    def example(self, count: int) -> torch.Tensor:
        return torch.zeros(count, 3, 8, 4)

    def __call__(self, images: torch.Tensor) -> torch.Tensor:
        features = torch.tensor([[3e-10, 4e-10]]).repeat(len(images), 1)
        return features.flip(1) if self.turned else features


@pytest.mark.parametrize(("turned", "cosine"), [(False, 1.0), (True, 0.96)])
def test_features_near_zero_have_a_cosine_too(turned, cosine):
    found = measure_parity(Short(False), Short(turned))
    assert found.cosine == pytest.approx(cosine)
