"""What wrappers (DataParallel, DDP, torch.compile) do to a model and to its keys, undone."""

from __future__ import annotations

from reidcore._layers import unwrapped as unwrap

__all__ = ["bare_key", "unwrap"]

_KEY_PREFIXES = ("module.", "_orig_mod.")


def bare_key(key: str) -> str:
    """Return a state-dict key without the prefixes that wrappers put before it."""
    while key.startswith(_KEY_PREFIXES):
        key = key.partition(".")[2]
    return key
