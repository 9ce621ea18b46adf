"""Torchreid's configurations keep their keys, and what their images looked like."""

from __future__ import annotations

import pytest
from reid_plugins_migrate.configs.torchreid import torchreid_defaults
from reid_plugins_migrate.configs.translation import translate

from reidcore.config import load_config
from reidcore.errors import ConfigError
from reidcore.plugins import make_plugins

PLUGINS = make_plugins()


@pytest.fixture
def translated(tmp_path):
    """Translate a text."""

    def translated(text: str):
        path = tmp_path / "own.yaml"
        path.write_text(text)
        return translate(path)

    return translated


def test_written_keys_stay_and_others_are_not_added(translated) -> None:
    found = translated("model: {name: osnet_x1_0}\ntrain: {lr: 0.0015, optim: amsgrad}\n")
    assert found.config == {
        "model": {"name": "osnet_x1_0"},
        "data": {"resize": "pillow", "reading": "torchreid"},
        "train": {"lr": 0.0015, "optim": "amsgrad"},
    }
    assert found.notes == []
    found.check(PLUGINS)


def test_fills_and_frames_are_torchreids(translated) -> None:
    found = translated("data: {type: video, transforms: [random_erase, random_patch]}\n")
    assert found.config["random_erase"] == {"fill": "torchreid"}
    assert found.config["video"] == {"sample_method": "evenly_torchreid"}
    assert [note.key for note in found.notes] == [
        "data.transforms",
        "data.transforms",
        "video.sample_method",
    ]


def test_mutual_learning_becomes_its_engine(translated) -> None:
    found = translated(
        "model: {name: osnet_x0_25, deploy: both}\n"
        "loss: {name: triplet, triplet: {margin: 0.2, weight_t: 0.5, weight_x: 1.}, "
        "dml: {weight_ml: 2.}}\n"
    )
    assert found.config["loss"] == {
        "name": "dml",
        "dml": {"margin": 0.2, "weight_t": 0.5, "weight_x": 1.0, "weight_ml": 2.0, "deploy": "all"},
    }
    found.check(PLUGINS)


def test_unknown_keys_are_told_with_the_nearest(translated) -> None:
    found = translated("model: {name: resnet50}\ntrain: {max_epochs: 3}\nnas: {mc_iter: 1}\n")
    told = {note.key: note.text for note in found.notes}
    assert "Did you mean 'train.max_epoch'" in told["train.max_epochs"]
    assert told["nas.mc_iter"] == "no such key is known"


def test_the_defaults_are_ours(translated) -> None:
    """What a file does not write means the same here, but for the margin, which reads null."""
    config = load_config(None, plugins=PLUGINS).model_dump()
    for key, theirs in torchreid_defaults().items():
        section, _, name = key.partition(".")
        ours = config.get(section)
        if isinstance(ours, dict) and name in ours:
            assert ours[name] == theirs, key


def test_a_file_of_neither_is_told(translated) -> None:
    with pytest.raises(
        ConfigError, match="no configuration of Torchreid's or FastReID's: it has a, b"
    ):
        translated("a: 1\nb: 2\n")
