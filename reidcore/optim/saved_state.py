"""Saved states of optimizers and schedulers, held to the shape of those that take them.

``load_state_dict`` of either takes whatever it is given: a scheduler's even replaces attributes of
any name, and what is wrong shows batches later, as an error of arithmetic.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from torch import Tensor
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler


def scheduler_faults(scheduler: LRScheduler, saved: Mapping[str, Any]) -> Iterator[str]:
    """Yield what in a saved state is none of a scheduler's, by its place and value.

    The state of another schedule has other entries, and is not taken anyway.
    """
    for key, value in saved.items():
        shadowed = getattr(type(scheduler), str(key), None)
        if callable(shadowed) or isinstance(shadowed, property):
            yield f"{key} is {_shown(value)}, expected no such entry: it is a method's name"
    own = scheduler.state_dict()
    if own.keys() <= saved.keys():
        yield from _unlike(saved, own, "")
        for key in ("base_lrs", "_last_lr"):
            if key in own and len(saved[key]) != len(own[key]):
                yield f"{key} has {len(saved[key])} items, expected {len(own[key])}"


def optimizer_faults(optimizer: Optimizer, saved: Mapping[str, Any]) -> Iterator[str]:
    """Yield what in a saved state is none of an optimizer's, by its place and value."""
    groups, own = saved.get("param_groups"), optimizer.state_dict()["param_groups"]
    if not isinstance(groups, Sequence) or not all(isinstance(each, Mapping) for each in groups):
        yield f"param_groups is {_shown(groups)}, expected a list of sections"
        return
    for index, (group, own_group) in enumerate(zip(groups, own, strict=False)):
        for key, default in optimizer.defaults.items():
            if key not in group and _kind(default) == "a number" and not isinstance(default, bool):
                yield f"param_groups[{index}].{key} is missing"
        yield from _unlike(group, own_group, f"param_groups[{index}].", loose=("params",))
    yield from _misshapen(optimizer, saved.get("state"))


def _misshapen(optimizer: Optimizer, state: Any) -> Iterator[str]:
    """Yield the entries of parameters' states that fit none or have another shape."""
    if not isinstance(state, Mapping):
        yield f"state is {_shown(state)}, expected a section for each parameter"
        return
    parameters = [each for group in optimizer.param_groups for each in group["params"]]
    for index, entries in state.items():
        if not isinstance(index, int) or not 0 <= index < len(parameters):
            yield f"state[{index!r}] is of no parameter"
        elif not isinstance(entries, Mapping):
            yield f"state[{index}] is {_shown(entries)}, expected a section"
        else:
            shape = parameters[index].shape
            for name, value in entries.items():
                if isinstance(value, Tensor) and value.numel() != 1 and value.shape != shape:
                    yield (
                        f"state[{index}].{name} has the size {tuple(value.shape)}, the parameter "
                        f"{tuple(shape)}"
                    )


def _unlike(saved: Any, own: Any, place: str, loose: Sequence[str] = ()) -> Iterator[str]:
    """Yield the places where two trees hold other kinds of values; own None may be anything."""
    kind, expected = _kind(saved), _kind(own)
    if own is None or (not place and not own):
        return
    if kind != expected:
        yield f"{place.rstrip('.')} is {_shown(saved)}, expected {expected}"
    elif isinstance(own, Mapping):
        for key in [key for key in saved if key in own and key not in loose]:
            yield from _unlike(saved[key], own[key], f"{place}{key}.")
    elif kind == "a list":
        for index, pair in enumerate(zip(saved, own, strict=False)):
            yield from _unlike(*pair, f"{place.rstrip('.')}[{index}].")
    elif kind == "a number" and math.isfinite(own) and not math.isfinite(saved):
        yield f"{place.rstrip('.')} is {_shown(saved)}, expected a finite number"


def _kind(value: Any) -> str:
    if isinstance(value, Tensor) and value.numel() == 1:
        return "a number"
    for kinds, name in _KINDS:
        if isinstance(value, kinds):
            return name
    return f"a {type(value).__name__}"


_KINDS: tuple[tuple[Any, str], ...] = (
    ((int, float), "a number"),
    (str, "text"),
    (Mapping, "a section"),
    ((list, tuple), "a list"),
)


def _shown(value: Any) -> str:
    return f"a tensor {tuple(value.shape)}" if isinstance(value, Tensor) else repr(value)[:80]
