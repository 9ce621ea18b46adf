"""``train.speed=fast``: what a run computes with, chosen by its device."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from reidcore.config import Config
from reidcore.config.components import component_of, section_of
from reidcore.data.loader.batch_sampler import rank_and_world
from reidcore.engine.precision import computes_bf16
from reidcore.registry.signature import spellings

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


def runs_ahead(config: Config, device: torch.device, plugins: Plugins) -> bool:
    """Say whether losses may be looked at after the step that they are of.

    The fused optimizers guard the weights until then. Several processes look at once, since all of
    them have to stop at the same step.
    """
    train = config.train
    options = component_of(config, "optimizers", train.optim, plugins).options
    is_guarded = bool(options.get("fused")) and rank_and_world()[1] == 1
    return train.speed == "fast" and device.type == "cuda" and is_guarded


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
    component = component_of(config, "optimizers", config.train.optim, plugins)
    is_given = "fused" in component.options
    if is_given or "fused" not in spellings(component.entry).values():
        return None
    return section_of(component.entry)[0]
