"""Torchreid's keys, which are ours, and what keeps their meaning: pixels, fills, sampled frames."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Any

import yaml

from reid_plugins_migrate.configs.values import Given, Tree

# Keys of the project on mutual learning, whose engine is one of ours.
_MUTUAL = ("loss.dml.weight_ml", "model.deploy", "model.load_weights1", "model.load_weights2")
_RESUMED = ("model.resume1", "model.resume2")


@cache
def torchreid_defaults() -> dict[str, Any]:
    """Return Torchreid's keys, dotted, with their defaults."""
    text = files(__package__).joinpath("torchreid_defaults.yaml").read_text(encoding="utf-8")
    values: dict[str, Any] = yaml.safe_load(text)
    return values


def translated(given: Given, model: str = "") -> Tree:
    """Return a configuration of ours, and note in ``given`` what is to be told.

    Args:
        given: Torchreid's values.
        model: another name of the network; theirs by default.
    """
    config: Tree = {}
    for key in given.written:
        if key in given.defaults and key not in (*_MUTUAL, *_RESUMED):
            _put(config, key, given[key])
    if model:
        _put(config, "model.name", model)
    _keep_pixels(given, config)
    if any(key in given.written for key in _MUTUAL):
        _mutual(given, config)
    return config


def _keep_pixels(given: Given, config: Tree) -> None:
    """Ask for what Torchreid's images looked like, where our configurations have other defaults."""
    _put(config, "data.resize", "pillow")
    _put(config, "data.reading", "torchreid")
    if "random_erase" in given.several("data.transforms"):
        _put(config, "random_erase.fill", "torchreid")
        given.changed("data.transforms", "random_erase.fill=torchreid keeps its colour")
    if "random_patch" in given.several("data.transforms"):
        given.changed("data.transforms", "patches are of other training images; no pool is kept")
    if given["data.type"] == "video" and given["video.sample_method"] == "evenly":
        _put(config, "video.sample_method", "evenly_torchreid")
        given.changed("video.sample_method", "evenly_torchreid leaves out the end, as theirs does")


def _mutual(given: Given, config: Tree) -> None:
    """Turn the project's keys into those of our engine of the same method."""
    given.ignore("loss.name")
    dml = {
        "margin": float(given["loss.triplet.margin"]),
        "weight_t": float(given["loss.triplet.weight_t"]),
        "weight_x": float(given["loss.triplet.weight_x"]),
        "weight_ml": float(given["loss.dml.weight_ml"]),
        "deploy": {"model1": "model", "model2": "model2"}.get(str(given["model.deploy"]), "all"),
    }
    given.changed("loss.dml.weight_ml", "loss.name=dml, with weights of two networks of their own")
    softmax = config.get("loss", {}).get("softmax", {})
    config["loss"] = {"name": "dml", "dml": dml, **({"softmax": softmax} if softmax else {})}
    if given["model.load_weights1"]:
        _put(config, "model.load_weights", given["model.load_weights1"])
    if given["model.load_weights2"]:
        given.lost("model.load_weights2", "the second network starts as the first does")


def _put(config: Tree, key: str, value: Any) -> None:
    *above, last = key.split(".")
    section = config
    for name in above:
        section = section.setdefault(name, {})
    section[last] = value
