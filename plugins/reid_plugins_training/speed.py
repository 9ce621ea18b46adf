"""``train.speed=fast``: what a run computes with, chosen by its device."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from reidcore.config import Config, options_of
from reidcore.engine import computes_bf16
from reidcore.registry import declared_options, find

if TYPE_CHECKING:
    from reidcore.plugins import Plugins


def with_speed(
    config: Config, device: torch.device, plugins: Plugins
) -> tuple[Config, dict[str, Any]]:
    """Return a configuration with what ``train.speed`` chooses where nobody chose otherwise.

    ``exact`` chooses nothing. A value that the user wrote, or a recipe or a checkpoint that differs
    from the default, is left alone.

    Args:
        config: a checked configuration, which stays as it is.
        device: where the run computes.
        plugins: where the optimizer is looked up.

    Returns:
        The configuration to build from, and what was chosen, by key.
    """
    if config.train.speed == "exact":
        return config, {}
    chosen = config.model_copy(deep=True)
    values: dict[str, Any] = {}
    for key, value in _wanted(device).items():
        section, name = key.split(".")
        if _is_free(config, key):
            setattr(getattr(chosen, section), name, value)
            values[key] = value
    if (own := _fused_section(config, plugins)) is not None:
        setattr(chosen, own, {**chosen.sections.get(own, {}), "fused": True})
        values[f"{own}.fused"] = True
    return chosen, values


def _wanted(device: torch.device) -> dict[str, Any]:
    """Return the keys that make a device faster, with their values."""
    if device.type == "cuda":
        half = "bf16" if computes_bf16(device) else "fp16"
        return {"train.amp": half, "train.channels_last": True, "data.augment": "batch"}
    if device.type == "cpu":
        # Without instructions for it bf16 is computed in float32 and rounded, which is slower.
        amp: dict[str, Any] = {"train.amp": "bf16"} if computes_bf16(device) else {}
        return {**amp, "train.channels_last": True}
    return {"data.augment": "batch"}


def _is_free(config: Config, key: str) -> bool:
    """Whether nobody chose a value: it is the default, and the user did not write it."""
    section, name = key.split(".")
    options = getattr(config, section)
    is_default = getattr(options, name) == type(options).model_fields[name].default
    return is_default and not config.origin(key).is_written


def _fused_section(config: Config, plugins: Plugins) -> str | None:
    """Return the section of the optimizer if it has a fused kernel and nobody chose."""
    entry = find("optimizers", config.train.optim, plugins)
    is_given = "fused" in options_of(config, "optimizers", config.train.optim, plugins)
    return None if is_given or "fused" not in declared_options(entry) else entry.name
