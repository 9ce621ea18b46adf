"""Published weights: the cache first, then the network, then a way out."""

from __future__ import annotations

import io

import pytest
import torch
from torch import nn

from reid_plugins_osnet.osnet import osnet_x0_25
from reidcore.errors import CheckpointError, UnknownNameError, UserError
from reidcore.models import load_published_weights
from reidcore.models.weights import weights_dir


@pytest.fixture
def layer(home, host):
    """A layer whose weights are served."""
    source = nn.Linear(2, 3)
    buffer = io.BytesIO()
    torch.save(source.state_dict(), buffer)
    host.files["tiny.pth"] = buffer.getvalue()
    return source


@pytest.fixture
def plugins(host, publishing):
    return publishing(tiny={"filename": "tiny.pth", "url": f"{host.address}/tiny.pth"})


def test_a_download_enters_the_cache_and_is_used_from_there(layer, host, plugins):
    model = nn.Linear(2, 3)
    load_published_weights(model, "tiny", plugins)
    assert torch.equal(model.weight, layer.weight)
    host.files.clear()
    again = nn.Linear(2, 3)
    report = load_published_weights(again, "tiny", plugins)
    assert torch.equal(again.weight, layer.weight)
    assert report.loaded == ["weight", "bias"]
    assert len(host.asked) == 1


def test_keys_are_renamed_by_the_rows_function(layer, host, publishing, site):
    site.write(
        "shop_of_keys.mapping",
        "def renamed(key):\n    return None if key == 'bias' else f'inner.{key}'\n",
    )
    row = {"filename": "t.pth", "url": f"{host.address}/tiny.pth"}
    plugins = publishing(tiny={**row, "keys": "shop_of_keys.mapping:renamed"})
    model = nn.ModuleDict({"inner": nn.Linear(2, 3)})
    report = load_published_weights(model, "tiny", plugins)
    assert report.loaded == ["inner.weight"]
    assert torch.equal(model["inner"].weight, layer.weight)


def test_a_name_that_nobody_publishes_gets_the_nearest(home):
    with pytest.raises(UnknownNameError, match="Did you mean 'osnet_x0_25'"):
        load_published_weights(nn.Linear(2, 3), "osnet_x025")


def test_without_a_network_the_ways_out_are_named(home, monkeypatch):
    monkeypatch.setenv("REIDCORE_OFFLINE", "1")
    with pytest.raises(UserError) as caught:
        osnet_x0_25(num_classes=3, pretrained=True)
    message = str(caught.value)
    cached = str(weights_dir() / "osnet_x0_25_imagenet.pth")
    for needed in (
        *("pretrained=False", "load_pretrained_weights", "model.load_weights", cached),
        *("REIDCORE_OFFLINE", "--offline"),
    ):
        assert needed in message


def test_weights_of_another_model_in_the_cache_are_refused(layer, plugins):
    with pytest.raises(CheckpointError, match="nothing in"):
        load_published_weights(nn.Linear(7, 7), "tiny", plugins)
