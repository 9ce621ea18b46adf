"""FastReID's keys as ours, a module for each part of a training.

He et al., "FastReID: A Pytorch Toolbox for General Instance Re-identification", 2020. Keys and
defaults are those of version 1.3.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Any

import yaml

from reid_plugins_migrate.configs.fastreid.images import augmentation, images
from reid_plugins_migrate.configs.fastreid.losses import losses
from reid_plugins_migrate.configs.fastreid.networks import network
from reid_plugins_migrate.configs.fastreid.schedules import schedule
from reid_plugins_migrate.configs.fastreid.tests import datasets, tests
from reid_plugins_migrate.configs.values import Given, Tree

__all__ = ["fastreid_defaults", "translated"]


@cache
def fastreid_defaults() -> dict[str, Any]:
    """Return FastReID's keys, dotted, with their defaults."""
    text = files(__name__).joinpath("defaults.yaml").read_text(encoding="utf-8")
    values: dict[str, Any] = yaml.safe_load(text)
    return values


def translated(given: Given, model: str = "") -> Tree:
    """Return a configuration of ours, and note in ``given`` what is to be told.

    Args:
        given: FastReID's values.
        model: our name of the network, where theirs has no counterpart.

    Raises:
        ConfigError: if a value is none of FastReID's, or the network has no counterpart.
    """
    names, sections = augmentation(given)
    shared = [datasets(given), images(given), losses(given), schedule(given), tests(given)]
    config: Tree = {"model": network(given, model), **sections}
    for part in shared:
        for section, values in part.items():
            config[section] = {**config.get(section, {}), **values}
    config["data"]["transforms"] = names
    _ignore_what_changes_nothing(given)
    return config


def _ignore_what_changes_nothing(given: Given) -> None:
    given.ignore("MODEL.DEVICE", "CUDNN_BENCHMARK", "TEST.ROC.ENABLED", "MODEL.QUEUE_SIZE")
    if not given["KD.MODEL_CONFIG"] and not given["KD.MODEL_WEIGHTS"]:
        given.ignore(*(key for key in given.defaults if key.startswith("KD.")))
        return
    given.lost("KD.MODEL_WEIGHTS", "settings.training.distill learns from one checkpoint of ours")
