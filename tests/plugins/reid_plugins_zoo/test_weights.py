"""The table of published weights against the registered models, and a file of old keys."""

from __future__ import annotations

import hashlib
import re

import pytest
import reid_plugins_zoo
import torch
from reid_plugins_zoo.densenet import densenet121

from reidcore.models.weights.catalog import find_published, published_weights
from reidcore.plugins import make_plugins
from reidcore.registry import entries

UNPUBLISHED = {"hacnn", "mudeep", "mgn"}  # MGN begins with the weights of its backbone


@pytest.fixture(scope="module")
def plugins():
    return make_plugins(entry_points=False, extra=[reid_plugins_zoo])


def test_every_other_model_has_a_row_and_every_row_a_model(plugins):
    models = {entry.name for entry in entries("models", plugins)}
    assert {entry.name for entry, _ in published_weights(plugins)} == models - UNPUBLISHED


def test_rows_are_complete(plugins):
    for _, weights in published_weights(plugins):
        assert weights.url.startswith("https://"), weights.name
        assert weights.licence, weights.name
        assert weights.origin, weights.name
        assert callable(weights.key_map()), weights.name


def test_hashes_are_those_that_file_names_end_in(plugins):
    for _, weights in published_weights(plugins):
        if weights.sha256:
            assert re.search(rf"-{weights.sha256}\.", weights.filename), weights.name


def test_a_file_of_old_keys_fills_a_densenet(plugins, tmp_path, monkeypatch):
    monkeypatch.setenv("REIDCORE_HOME", str(tmp_path))
    torch.manual_seed(0)
    source = densenet121(num_classes=1000, pretrained=False).state_dict()
    old = {
        re.sub(r"(denselayer\d+\.[a-z]+)([12])", r"\1.\2", key): value
        for key, value in source.items()
    }
    file = tmp_path / "weights" / find_published("densenet121", plugins).filename
    file.parent.mkdir()
    torch.save(old, file)
    known = hashlib.sha256(file.read_bytes()).hexdigest()
    monkeypatch.setattr(
        "reidcore.models.weights.catalog._torchvision_url",
        lambda name: f"https://example.org/{file.name.replace('a639ec97', known)}",
    )
    file.rename(file.with_name(file.name.replace("a639ec97", known)))
    with plugins:
        model = densenet121(num_classes=5)
    loaded = model.state_dict()
    for key, value in source.items():
        if not key.startswith("classifier"):
            assert torch.equal(loaded[key], value), key
    assert loaded["classifier.weight"].shape == (5, 1024)
