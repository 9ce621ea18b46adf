"""Whether a loss, its distance, miner, reducer and regularizers go together, tried on features.

PML says so by assertions, some of them in the first step. Here the loss is built for a few
identities and takes a step on random features, before anything is read or trained.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable, Mapping
from typing import Any

import torch

from reid_plugins_metric_learning.criterion import MetricLoss
from reid_plugins_metric_learning.library import offered
from reid_plugins_metric_learning.options import PART_KINDS, Part
from reidcore.errors import ConfigError, quoted
from reidcore.registry import singular

_IDENTITIES, _IMAGES, _FEATURES = 4, 8, 16

Build = Callable[[Mapping[str, Any], int, int], MetricLoss]
"""Builds a loss from options for a number of identities and of features."""


def check_fit(name: str, options: Mapping[str, Any], build: Build) -> None:
    """Refuse options that PML refuses, or that give no finite loss, or one without a slope.

    Args:
        name: of the loss.
        options: of the loss, with its parts as they were written.
        build: makes the loss.

    Raises:
        ConfigError: names the option at fault, and which parts would fit in its place.
    """
    refusal = _refusal(options, build)
    if refusal is None:
        return
    where = f"loss.pml/{name}"
    for option, kind in PART_KINDS.items():
        without = {other: value for other, value in options.items() if other != option}
        if options.get(option) is None or _refusal(without, build) is not None:
            continue
        fitting = [
            other for other in offered(kind) if _refusal({**without, option: other}, build) is None
        ]
        name_of_part = Part.read(kind, options[option]).name
        raise ConfigError(
            f"{where}.{option}: the loss does not go with the {singular(kind)} "
            f"{quoted(options[option])}: {refusal}",
            f"{name_of_part} fits by its defaults."
            if name_of_part in fitting
            else f"Those that fit: {', '.join(fitting)}."
            if fitting
            else f"Leave {option} out.",
        )
    raise ConfigError(f"{where}: pytorch-metric-learning refuses the options: {refusal}")


def _refusal(options: Mapping[str, Any], build: Build) -> str | None:
    """Return what is wrong of a loss with these options, or None."""
    tried = dict(options)
    if tried.get("memory_size") is not None:
        tried["memory_size"] = 2 * _IMAGES
    images = torch.randn(2, _IMAGES, _FEATURES, generator=torch.Generator().manual_seed(0))
    identities = torch.arange(_IMAGES) // (_IMAGES // _IDENTITIES)
    try:
        with torch.random.fork_rng(devices=[]), torch.enable_grad():
            criterion = build(tried, _IDENTITIES, _FEATURES)
            for features in images.requires_grad_():
                value = criterion(features, identities)
                value.backward()
    except Exception as error:  # PML raises many kinds, and bare assertions
        return _words(error.__cause__ or error)
    found = f"on random features it is {value.item():g}"
    if not value.isfinite():
        return found
    # A miner may choose nothing of features that are random.
    slope = images.grad
    is_flat = options.get("miner") is None and (slope is None or not slope.any())
    return f"{found} with a slope of 0, and nothing would be learnt" if is_flat else None


def _words(error: BaseException) -> str:
    """Return what an error says, or the line of source that raised it where it says nothing."""
    line = traceback.extract_tb(error.__traceback__)[-1].line
    return str(error) or f"{type(error).__name__} ({line})"
