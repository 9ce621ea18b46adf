"""Batch normalisation folded into the convolutions before it: the same features in less time."""

from __future__ import annotations

import copy
import logging
from collections import Counter
from collections.abc import Iterator
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval
from torch.overrides import TorchFunctionMode

_log = logging.getLogger(__name__)

# Of the largest feature: what sums in another order differ by, and hardly more.
_CLOSE = 1e-4


class _Call(NamedTuple):
    """What a layer was given and gave; it keeps the tensors, so that no two have one place."""

    name: str
    layer: nn.Module
    taken: Tensor
    given: Tensor


def fold_normalisation(model: nn.Module, images: Tensor) -> int:
    """Fold each batch normalisation that follows a convolution, and nothing else does, into it.

    A pass over all maps is saved for each. Which layer follows which is seen in a forward pass, and
    the features before and after are compared: a network in which something else takes part is left
    as it was, and so is one that looks at values, which for other images may take another way.

    Args:
        model: the network in evaluation mode, which is changed.
        images: (B, 3, h, w), on its device.

    Returns:
        How many were folded.
    """
    if not any(type(layer) is nn.BatchNorm2d for layer in model.modules()):
        return 0
    with torch.no_grad():
        calls: list[_Call] = []
        hooks = [
            layer.register_forward_hook(_noting(name, calls))
            for name, layer in model.named_modules()
            if _is_plain(layer)
        ]
        try:
            with ValueReads() as reads:
                before = model(images)
        finally:
            for hook in hooks:
                hook.remove()
        if reads.seen:
            return 0
        replaced = {name: layer for pair in _pairs(calls) for name, layer in _folded(*pair)}
        originals = {name: model.get_submodule(name) for name in replaced}
        _replace(model, replaced)
        difference = (model(images) - before).abs().max() / before.abs().max()
    if difference <= _CLOSE:
        return len(replaced) // 2
    _replace(model, originals)
    _log.debug("Folding changes features by %.1e: left out", difference)
    return 0


class ValueReads(TorchFunctionMode):
    """Notes whether Python looks at a tensor's values, as ``if``, ``item`` and ``numpy`` do."""

    _METHODS = ("item", "tolist", "numpy", "equal", "allclose", "is_nonzero")
    _PROTOCOLS = ("array", "bool", "complex", "contains", "dlpack", "float", "index", "int")
    seen = False

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        name = getattr(func, "__name__", "")
        self.seen |= name in self._METHODS or name in [f"__{each}__" for each in self._PROTOCOLS]
        return func(*args, **(kwargs or {}))


def _is_plain(layer: nn.Module) -> bool:
    """Say whether a layer is of either kind, and does what its kind does and no more."""
    hooks = layer._forward_hooks or layer._forward_pre_hooks
    return type(layer) in (nn.Conv2d, nn.BatchNorm2d) and not hooks


def _noting(name: str, calls: list[_Call]) -> Any:
    def note(layer: nn.Module, taken: tuple[Tensor, ...], given: Tensor) -> None:
        calls.append(_Call(name, layer, taken[0], given))

    return note


def _pairs(calls: list[_Call]) -> Iterator[tuple[_Call, _Call]]:
    """Yield the convolutions and normalisations that follow each other, and run but once."""
    uses = Counter(id(call.layer) for call in calls)
    once = [call for call in calls if uses[id(call.layer)] == 1]
    convolutions = {id(call.given): call for call in once if isinstance(call.layer, nn.Conv2d)}
    for call in once:
        before = convolutions.get(id(call.taken))
        if before and isinstance(call.layer, nn.BatchNorm2d) and call.layer.track_running_stats:
            yield before, call


def _folded(convolution: _Call, normalisation: _Call) -> Iterator[tuple[str, nn.Module]]:
    calls = (convolution, normalisation)
    layers: Any = [copy.deepcopy(call.layer).cpu().double() for call in calls]
    folded = fuse_conv_bn_eval(*layers).to(convolution.given)  # so that weights are rounded once
    yield convolution.name, folded.to(memory_format=torch.channels_last)
    yield normalisation.name, nn.Identity()


def _replace(model: nn.Module, layers: dict[str, nn.Module]) -> None:
    for name, layer in layers.items():
        parent, _, last = name.rpartition(".")
        setattr(model.get_submodule(parent), last, layer)
