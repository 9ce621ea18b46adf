"""Published weights: the cache first, then the network, then a way out."""

from __future__ import annotations

import hashlib
from urllib.error import URLError

import pytest
import torch
from torch import nn

from reid_plugins_osnet.osnet import osnet_x0_25
from reidcore.errors import CheckpointError, UserError
from reidcore.models import PublishedWeights, load_published_weights
from reidcore.models.pretrained import weights_dir


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("REIDCORE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    return tmp_path


@pytest.fixture
def served(tmp_path):
    """A weights file with an address, and the layer that it came from."""
    layer = nn.Linear(2, 3)
    path = tmp_path / "served.pth"
    torch.save(layer.state_dict(), path)
    return layer, path


def _published(path, sha256=""):
    return PublishedWeights("tiny", "tiny_imagenet.pth", path.as_uri(), sha256)


def test_a_download_enters_the_cache_and_is_used_from_there(served):
    source, path = served
    model = nn.Linear(2, 3)
    load_published_weights(model, _published(path))
    assert torch.equal(model.weight, source.weight)
    assert [file.name for file in weights_dir().iterdir()] == ["tiny_imagenet.pth"]
    path.unlink()
    again = nn.Linear(2, 3)
    load_published_weights(again, _published(path))
    assert torch.equal(again.weight, source.weight)


def test_torchreids_own_cache_is_found(served, home):
    source, path = served
    (home / "torch" / "checkpoints").mkdir(parents=True)
    path.rename(home / "torch" / "checkpoints" / "tiny_imagenet.pth")
    model = nn.Linear(2, 3)
    load_published_weights(model, _published(path))
    assert torch.equal(model.weight, source.weight)


def test_without_a_network_the_ways_out_are_named(monkeypatch):
    def unreachable(*args, **kwargs):
        raise URLError("Name or service not known")

    monkeypatch.setattr(torch.hub, "download_url_to_file", unreachable)
    with pytest.raises(UserError) as caught:
        osnet_x0_25(num_classes=3, pretrained=True)
    message = str(caught.value)
    cached = str(weights_dir() / "osnet_x0_25_imagenet.pth")
    for needed in ("pretrained=False", "load_pretrained_weights", "model.load_weights", cached):
        assert needed in message


def test_a_web_page_instead_of_weights_stays_out_of_the_cache(tmp_path):
    page = tmp_path / "page.html"
    page.write_text("<html>Too many users have downloaded this file</html>")
    with pytest.raises(UserError, match="sent no weights file"):
        load_published_weights(nn.Linear(2, 3), _published(page))
    assert list(weights_dir().iterdir()) == []


def test_a_known_checksum_is_checked(served):
    _, path = served
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    with pytest.raises(UserError, match="invalid hash value"):
        load_published_weights(nn.Linear(2, 3), _published(path, "0" * 64))
    assert list(weights_dir().iterdir()) == []
    load_published_weights(nn.Linear(2, 3), _published(path, digest))


def test_weights_of_another_model_in_the_cache_are_refused(served):
    _, path = served
    weights_dir().mkdir(parents=True)
    path.rename(weights_dir() / "tiny_imagenet.pth")
    with pytest.raises(CheckpointError, match="nothing in"):
        load_published_weights(nn.Linear(7, 7), _published(path))


def test_the_cache_follows_the_desktop_standard(monkeypatch, tmp_path):
    monkeypatch.delenv("REIDCORE_HOME")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert weights_dir() == tmp_path / "xdg" / "reidcore" / "weights"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert weights_dir() == tmp_path / ".cache" / "reidcore" / "weights"
