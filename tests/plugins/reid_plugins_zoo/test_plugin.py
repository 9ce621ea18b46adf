"""The plugin: what it registers and what that costs."""

from __future__ import annotations

import re
import subprocess
import sys
from math import prod

import pytest
import reid_plugins_zoo

from reidcore.plugins import make_plugins
from reidcore.registry import entries


@pytest.fixture(scope="module")
def models():
    return entries("models", make_plugins(entry_points=False, extra=[reid_plugins_zoo]))


OURS = {"mgn"}  # which Torchreid has not


def test_every_architecture_of_torchreid_but_the_osnets_is_there(models, reference):
    names = {name for entry in models for name in (entry.name, *entry.aliases)} - OURS
    assert names - {"nasnetmobile"} == {name for name in reference if not name.startswith("osnet")}


def test_summaries_state_the_true_sizes(models, reference):
    for entry in (entry for entry in models if entry.name not in OURS):
        figures = reference[next(iter(entry.aliases), entry.name)]
        stated = re.fullmatch(r"([\d.]+)M parameters, (\d+)-dim features", entry.summary)
        classifying = sum(
            prod(shape) for key, shape in figures["state_dict"] if key.startswith("classifier")
        )
        # Torchreid counts hacnn's shared layers once a region, and mudeep's classifier.
        used = min(figures["params_test_time"], figures["params_total"] - classifying)
        assert float(stated[1]) == pytest.approx(used / 1e6, abs=0.006), entry.name
        assert int(stated[2]) == figures["feature_shape"][1], entry.name


def test_listing_imports_no_torch():
    code = (
        "import sys, reid_plugins_zoo\n"
        "from reidcore.plugins import make_plugins\n"
        "from reidcore.registry import entries\n"
        "plugins = make_plugins(entry_points=False, extra=[reid_plugins_zoo])\n"
        "assert len(entries('models', plugins)) == 41\n"
        "assert not {'torch', 'torchvision', 'numpy'} & set(sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
