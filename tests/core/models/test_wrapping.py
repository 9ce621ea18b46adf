"""Wrappers taken off models and keys."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from reidcore.models import unwrap
from reidcore.models.wrapping import bare_key


def test_any_number_of_wrappers_come_off():
    model = nn.Linear(2, 2)
    assert unwrap(model) is model
    assert unwrap(nn.DataParallel(nn.DataParallel(model))) is model
    assert unwrap(torch.compile(nn.DataParallel(model), backend="eager")) is model


@pytest.mark.parametrize(
    ("key", "bare"),
    [
        ("conv.weight", "conv.weight"),
        ("module.conv.weight", "conv.weight"),
        ("_orig_mod.module.conv.weight", "conv.weight"),
        ("modules.0.weight", "modules.0.weight"),
        ("conv.module.weight", "conv.module.weight"),
    ],
)
def test_only_leading_prefixes_come_off_a_key(key, bare):
    assert bare_key(key) == bare
