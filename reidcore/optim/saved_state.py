"""Saved states of optimizers and schedulers, held to the shape of those that take them.

``load_state_dict`` of either takes whatever it is given: a scheduler's even replaces attributes of
any name, and what is wrong shows batches later, as an error of arithmetic.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

from torch import Tensor
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from reidcore.errors import counted, quoted


def scheduler_faults(scheduler: LRScheduler, saved: Mapping[str, Any]) -> Iterator[str]:
    """Yield what in a saved state is none of a scheduler's; another kind's is not taken anyway."""
    for key, value in saved.items():
        if callable(getattr(type(scheduler), str(key), None)):
            yield f"{key} is {quoted(value)}, expected no such entry: it is a method's name"
    own = scheduler.state_dict()
    if own.keys() <= saved.keys():
        yield from _unlike(saved, own, "")
        for key in [key for key in ("base_lrs", "_last_lr") if key in own]:
            if len(saved[key]) != len(own[key]):
                yield f"{key} has {counted(len(saved[key]), 'item')}, expected {len(own[key])}"


def optimizer_faults(optimizer: Optimizer, saved: Mapping[str, Any]) -> Iterator[str]:
    """Yield what in a saved state is none of an optimizer's, by its place and value."""
    own = {"param_groups": optimizer.state_dict()["param_groups"], "state": {}}
    for key in [key for key in own if key not in saved]:
        yield f"{key} is missing"
    yield from _unlike(saved, own, "")
    for index, group in enumerate(saved["param_groups"]):
        for key in [key for key in ("lr", "params") if key not in group]:
            yield f"param_groups[{index}].{key} is missing"
    parameters = [each for group in optimizer.param_groups for each in group["params"]]
    for index, entries in saved["state"].items():
        if index not in range(len(parameters)):
            yield f"state[{quoted(index)}] is of no parameter"
        elif not isinstance(entries, Mapping):
            yield f"state[{index}] is {quoted(entries)}, expected a section"
        else:
            shape = parameters[index].shape
            for name, value in entries.items():
                if isinstance(value, Tensor) and value.numel() != 1 and value.shape != shape:
                    yield f"state[{index}].{name} is {quoted(value)}, expected {tuple(shape)}"


def _unlike(saved: Any, own: Any, place: str) -> Iterator[str]:
    """Yield the places where two trees hold other kinds of values; own None may be anything."""
    kind, expected = _kind(saved), _kind(own)
    if own is None:
        return
    if kind != expected:
        yield f"{place} is {quoted(saved)}, expected {expected}"
    elif isinstance(own, Mapping):
        for key in [key for key in saved if key in own and key != "params"]:
            yield from _unlike(saved[key], own[key], f"{place}.{key}" if place else str(key))
    elif kind == "a list":
        for index, pair in enumerate(zip(saved, own, strict=False)):
            yield from _unlike(*pair, f"{place}[{index}]")
    elif kind == "a number" and math.isfinite(own) and not math.isfinite(saved):
        yield f"{place} is {quoted(saved)}, expected a finite number"


def _kind(value: Any) -> str:
    if isinstance(value, int | float) or (isinstance(value, Tensor) and value.numel() == 1):
        return "a number"
    if isinstance(value, str):
        return "text"
    if isinstance(value, Mapping):
        return "a section"
    return "a list" if isinstance(value, list | tuple) else "a value"
