"""Parameters and multiply-adds, against the figures measured on Torchreid."""

from __future__ import annotations

import logging

import pytest
import torch
from torch import nn

from reidcore.errors import UserError
from reidcore.models import build_model
from reidcore.utils import compute_model_complexity

# Name -> parameters at test time, multiply-adds of convolutions and linear layers, of all layers;
# for 256 x 128 images and 751 classes.
MEASURED = {
    "osnet_x1_0": (2193616, 978878352, 1019906592),
    "osnet_x0_75": (1299224, 571754536, 602526352),
    "osnet_x0_5": (636520, 272901064, 293416464),
    "osnet_x0_25": (203568, 82316000, 92574976),
    "osnet_ibn_x1_0": (2194640, 978878352, 1024100896),
    "osnet_ain_x1_0": (2193616, 978878352, 1019906592),
    "osnet_ain_x0_75": (1299224, 571754536, 602526352),
    "osnet_ain_x0_5": (636520, 272901064, 293416464),
    "osnet_ain_x0_25": (203568, 82316000, 92574976),
}


@pytest.mark.parametrize("name", MEASURED)
def test_osnet_costs_what_torchreid_measured(name: str) -> None:
    model = build_model(name, 751, pretrained=False)
    params, flops, all_flops = MEASURED[name]
    assert compute_model_complexity(model, (1, 3, 256, 128)) == (params, flops)
    everything = compute_model_complexity(model, (1, 3, 256, 128), only_conv_linear=False)
    assert everything == (params, all_flops)


@pytest.mark.parametrize(
    ("layer", "size", "weighted", "everything"),
    [
        (nn.Conv2d(3, 8, 3, padding=1), (1, 3, 4, 4), 28 * 128, 28 * 128),
        (nn.Conv2d(4, 8, 3, padding=1, groups=2, bias=False), (1, 4, 4, 4), 18 * 128, 18 * 128),
        (nn.Linear(5, 7), (2, 5), 6 * 14, 6 * 14),
        (nn.MaxPool2d(2), (1, 1, 4, 4), 0, 3 * 4),
        (nn.AvgPool2d((2, 1)), (1, 1, 4, 4), 0, 2 * 8),
        (nn.AdaptiveAvgPool2d(1), (1, 2, 4, 4), 0, 16 * 2),
        (nn.AdaptiveMaxPool2d(2), (1, 1, 4, 4), 0, 3 * 4),
        (nn.ReLU(), (1, 3, 2, 2), 0, 12),
        (nn.LeakyReLU(), (1, 3, 2, 2), 0, 36),
        (nn.BatchNorm2d(3), (1, 3, 2, 2), 0, 48),
        (nn.BatchNorm2d(3, affine=False), (1, 3, 2, 2), 0, 24),
        (nn.LayerNorm(4), (1, 3, 4), 0, 48),
    ],
)
def test_each_kind_of_layer_has_its_price(
    layer: nn.Module, size: tuple[int, ...], weighted: int, everything: int
) -> None:
    model = nn.Sequential(layer)
    assert compute_model_complexity(model, size)[1] == weighted
    assert compute_model_complexity(model, size, only_conv_linear=False)[1] == everything


def test_the_model_is_left_as_it_was() -> None:
    model = nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2)).train()
    model[1].eval()
    before = {key: value.clone() for key, value in model.state_dict().items()}
    compute_model_complexity(model, (4, 2))
    assert model.training
    assert not model[1].training
    assert not model[0]._forward_hooks
    for key, value in model.state_dict().items():
        assert torch.equal(value, before[key])


def test_verbose_shows_each_kind_and_the_total(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    model = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 1))
    compute_model_complexity(model, (1, 2), verbose=True)
    for expected in ("Linear", "ReLU", "total", "13 params"):
        assert expected in caplog.text


def test_an_input_that_does_not_fit_is_told() -> None:
    with pytest.raises(UserError, match=r"Sequential does not run.*\(1, 3, 256, 128\)"):
        compute_model_complexity(nn.Sequential(nn.Linear(2, 3)), (1, 5))
