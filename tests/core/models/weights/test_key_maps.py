"""Whose keys a file has is told by what fits, not by its name."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from reidcore import hookimpl
from reidcore.errors import PluginDefectError
from reidcore.models import WeightsLayout, load_pretrained_weights
from reidcore.plugins import make_plugins


def stored(state, tmp_path):
    torch.save(state, tmp_path / "anything.bin")
    return tmp_path / "anything.bin"


@pytest.fixture
def small():
    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4))


@pytest.mark.parametrize("prefix", ["base.", "encoder.", "net."])
def test_a_network_inside_another_is_found_below_its_prefix(prefix, small, tmp_path):
    source = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4))
    state = {prefix + key: value for key, value in source.state_dict().items()}
    state["neck.weight"] = torch.ones(9)
    report = load_pretrained_weights(small, stored({"model": state}, tmp_path))
    assert report.layout == f"keys below {prefix!r}"
    assert report.discarded == ["neck.weight"]
    assert torch.equal(small[0].weight, source[0].weight)


def test_a_backbone_alone_fills_a_model_that_wraps_one(small, tmp_path):
    model = nn.ModuleDict({"trunk": small, "classifier": nn.Linear(4, 2)})
    source = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4))
    report = load_pretrained_weights(model, stored(source.state_dict(), tmp_path))
    assert report.layout == "keys of 'trunk.'"
    assert torch.equal(small[0].weight, source[0].weight)
    assert report.untouched == ["classifier.weight", "classifier.bias"]


class TheirFiles:
    """Knows files whose keys are the model's, spelled backwards."""

    answer: object = None

    @hookimpl
    def reid_register_weights(self, registry):
        """Register the layout."""
        registry.layout("backwards", self.read)

    def read(self, model, tensors):
        """Turn each key round, where it is such a file."""
        if self.answer is not None or not any(key.startswith("thgiew") for key in tensors):
            return self.answer
        names = {key[::-1]: key for key in tensors}
        found = {name: tensors[key] for name, key in names.items()}
        return WeightsLayout("their keys", found, names, "These are theirs: set model.theirs.")


def test_a_plugins_layout_is_taken_where_it_fits_best(small, tmp_path, caplog):
    source = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4))
    file = stored({key[::-1]: value for key, value in source.state_dict().items()}, tmp_path)
    report = load_pretrained_weights(small, file, make_plugins(extra=[TheirFiles()]))
    assert (report.layout, report.untouched, report.discarded) == ("their keys", [], [])
    assert torch.equal(small[0].weight, source[0].weight)
    assert "set model.theirs" in caplog.text


def test_one_that_knows_nothing_of_a_file_stays_out_of_it(small, tmp_path, caplog):
    file = stored(nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4)).state_dict(), tmp_path)
    report = load_pretrained_weights(small, file, make_plugins(extra=[TheirFiles()]))
    assert (report.layout, report.untouched) == ("", [])
    assert "theirs" not in caplog.text


def test_a_layout_of_another_form_is_its_plugins_defect(small, tmp_path):
    plugin = TheirFiles()
    plugin.answer = {"a": 1}
    file = stored(small.state_dict(), tmp_path)
    with pytest.raises(PluginDefectError, match=r"backwards.*a WeightsLayout, or None"):
        load_pretrained_weights(small, file, make_plugins(extra=[plugin]))
