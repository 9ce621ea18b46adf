"""The gate of an export: how far its features may be from PyTorch's."""

from __future__ import annotations

import math

import pytest
from reid_plugins_export.parity import Parity, check_parity

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
