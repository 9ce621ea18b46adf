"""What layouts of re-identification ResNets have in common: non-local blocks, and the stem."""

from __future__ import annotations

import re

from torch import nn

from reid_plugins_zoo.mgn import MGN
from reid_plugins_zoo.resnet import ResNet
from reid_plugins_zoo.resnet_variants import Stem

_NON_LOCAL = re.compile(r"^NL_(\d)\.(\d+)\.")


def name_of(key: str) -> str:
    """Return our name of a ResNet's entry: that of a non-local block is in its stage here."""
    return _NON_LOCAL.sub(r"layer\1.NL_\2.", key)


def stem_advice(model: nn.Module, stem: Stem, whose: str) -> str:
    """Say that a model begins otherwise than the one that a file's weights were trained in.

    Args:
        model: the one that they are loaded into.
        stem: that of the file.
        whose: the library that the file is from.

    Returns:
        A sentence; empty where the stems are the same, or the model has none to choose.
    """
    if not isinstance(model, ResNet | MGN) or model.stem == stem:
        return ""
    return (
        f"These weights, of {whose}, are for the stem {stem!r}, and this model has {model.stem!r}: "
        f"its features are not theirs. Build it with stem={stem!r}, or set model.stem={stem}."
    )
