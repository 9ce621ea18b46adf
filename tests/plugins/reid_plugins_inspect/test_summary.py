"""What a registered model costs, without its weights."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from reidcore import hookimpl
from reidcore.errors import UnknownNameError, UserError
from reidcore.models import ModelSummary, ReidModel, summarize
from reidcore.plugins import make_plugins


class Real(nn.Module):
    """A network, no ReidModel, that needs numbers to be built, and to run."""

    def __init__(self, num_classes):
        super().__init__()
        self.part = nn.Conv2d(3, int(torch.tensor([4.0]).sum().item()), 1, bias=False)

    def forward(self, images):
        return self.part(images).mean(dim=(2, 3))


class Pages(nn.Module):
    def __init__(self, num_classes):
        super().__init__()
        self.part = nn.Conv2d(3, 4, 1)

    def forward(self, images):
        return self.part(images)


class Fixed(ReidModel):
    feature_dim = 4
    fixed_size = (160, 64)

    def __init__(self, num_classes):
        super().__init__()
        self.part = nn.Conv2d(3, 4, 1)

    def describe(self, images):
        return self.part(images).mean(dim=(2, 3))


class Plugin:
    @hookimpl
    def reid_register_models(self, registry):
        registry.add("real", Real)
        registry.add("pages", Pages)
        registry.add("fixed", Fixed)


@pytest.fixture(scope="module")
def plugins():
    return make_plugins(extra=[Plugin()])


def test_torchreids_figures(plugins):
    figures = (203568, 82316000, 92574976)
    assert summarize("osnet_x0_25", plugins=plugins) == ModelSummary(
        "osnet_x0_25", 256, 128, *figures, 512
    )


def test_a_size_and_options_are_honoured(plugins):
    found = summarize("osnet_x0_25", (128, 64), plugins, feature_dim=64)
    assert (found.height, found.width, found.feature_dim) == (128, 64, 64)
    assert found.multiply_adds < 82316000 / 3.9


def test_a_model_that_takes_one_size_is_measured_on_it(plugins):
    found = summarize("fixed", plugins=plugins)
    assert (found.height, found.width) == (160, 64)
    with pytest.raises(UserError, match="160x64"):
        summarize("fixed", (256, 128), plugins)


def test_a_model_that_needs_numbers_is_built_for_real(plugins):
    assert summarize("real", (8, 4), plugins) == ModelSummary("real", 8, 4, 12, 12 * 32, 12 * 32, 4)


def test_a_model_without_features_is_told(plugins):
    with pytest.raises(UserError, match=r"Pages gives no features \(B, D\)"):
        summarize("pages", plugins=plugins)


def test_an_unknown_model_gets_the_nearest(plugins):
    with pytest.raises(UnknownNameError, match="osnet_x0_25"):
        summarize("osnet_x025", plugins=plugins)


def test_the_latency_is_of_so_many_runs_after_a_warm_up(monkeypatch):
    from reid_plugins_inspect import latency

    calls = []

    class Counting(nn.Module):
        def forward(self, images):
            calls.append(tuple(images.shape))
            return images.mean(dim=(2, 3))

    clock = iter(np.cumsum([0.0] + [0.0, 0.25, 0.25, 0.5] * 20))
    monkeypatch.setattr(latency.time, "perf_counter", lambda: float(next(clock)))
    measured = latency.measure_latency(
        Counting(), (8, 4), 2, torch.device("cpu"), runs=4, seconds=60.0
    )
    assert calls == [(2, 3, 8, 4)] * 7
    assert measured.runs == 4
    assert measured.p50 <= measured.p95
    assert measured.images_per_second == pytest.approx(2000 / measured.p50)


def test_a_slow_model_is_timed_five_times():
    from reid_plugins_inspect.latency import measure_latency

    model = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())
    measured = measure_latency(model, (8, 4), 1, torch.device("cpu"), runs=100, seconds=0.0)
    assert measured.runs == 5
