"""The plugin: what it registers and what that costs."""

from __future__ import annotations

import json
import lzma
import re
import subprocess
import sys
from pathlib import Path

import pytest

import reid_plugins_osnet
from reidcore.errors import UnknownNameError
from reidcore.models import build_model
from reidcore.plugins import make_plugins
from reidcore.registry import entries

REFERENCE = Path(__file__).parents[2] / "fixtures" / "models" / "models.json.xz"


@pytest.fixture(scope="module")
def plugins():
    return make_plugins(entry_points=False, extra=[reid_plugins_osnet])


def test_summaries_state_the_true_parameter_counts(plugins):
    reference = json.loads(lzma.decompress(REFERENCE.read_bytes()))
    summaries = {entry.name: entry.summary for entry in entries("models", plugins)}
    assert summaries.pop("lmbn_n")  # counted in test_lmbn
    assert summaries.keys() == {name for name in reference if name.startswith("osnet")}
    for name, summary in summaries.items():
        stated = float(re.match(r"([\d.]+)M parameters", summary)[1])
        assert stated == pytest.approx(reference[name]["params_test_time"] / 1e6, abs=0.006)


def test_listing_imports_no_torch():
    code = (
        "import sys, reid_plugins_osnet\n"
        "from reidcore.plugins import make_plugins\n"
        "from reidcore.registry import entries\n"
        "plugins = make_plugins(entry_points=False, extra=[reid_plugins_osnet])\n"
        "assert len(entries('models', plugins)) == 10\n"
        "assert not {'torch', 'numpy'} & set(sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_every_name_builds(plugins):
    for entry in entries("models", plugins):
        model = build_model(entry.name, 3, pretrained=False, plugins=plugins)
        last = model.classifier[-1] if entry.name == "lmbn_n" else model.classifier
        assert last.out_features == 3


def test_options_reach_the_model_and_wrong_ones_are_refused(plugins):
    model = build_model("osnet_x0_25", 3, pretrained=False, plugins=plugins, feature_dim=64)
    assert model.feature_dim == 64
    with pytest.raises(UnknownNameError, match="Did you mean 'feature_dim'"):
        build_model("osnet_x0_25", 3, pretrained=False, plugins=plugins, feature_dims=64)


def test_a_near_miss_names_the_model(plugins):
    with pytest.raises(UnknownNameError, match="osnet_x1_0"):
        build_model("osnet_x10", 3, plugins=plugins)
