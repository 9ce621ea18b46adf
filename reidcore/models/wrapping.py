"""What wrappers (DataParallel, DDP, torch.compile) do to a model and to its keys, undone."""

from __future__ import annotations

from torch import nn
from torch.nn.parallel import DistributedDataParallel

_KEY_PREFIXES = ("module.", "_orig_mod.")


def unwrap(model: nn.Module) -> nn.Module:
    """Return the network inside any number of wrappers."""
    while True:
        if isinstance(model, nn.DataParallel | DistributedDataParallel):
            model = model.module
        elif isinstance(inner := getattr(model, "_orig_mod", None), nn.Module):
            model = inner
        else:
            return model


def bare_key(key: str) -> str:
    """Return a state-dict key without the prefixes that wrappers put before it."""
    while key.startswith(_KEY_PREFIXES):
        key = key.partition(".")[2]
    return key
