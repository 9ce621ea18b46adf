"""``train.keep_memory``: what a training on the CPU frees stays with it for its next step."""

from __future__ import annotations

import ctypes
import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from reidcore.engine import Engine

# From glibc's <malloc.h>.
_M_TRIM_THRESHOLD, _M_MMAP_MAX = -1, -4

_USERS_OWN = ("MALLOC_TRIM_THRESHOLD_", "MALLOC_MMAP_MAX_", "MALLOC_MMAP_THRESHOLD_")
_USERS_TUNABLES = tuple(
    f"glibc.malloc.{name}" for name in ("trim_threshold", "mmap_max", "mmap_threshold")
)


def keeps_memory(engine: Engine) -> bool:
    """Say whether a run asks for it, which an engine without a configuration never does."""
    options = (engine.config or {}).get("train") or {}
    is_training_here = engine.device.type == "cpu" and not engine.plan.test_only
    return is_training_here and bool(options.get("keep_memory"))


def keep_memory() -> bool:
    """Let glibc keep what this process frees, for whatever it allocates next.

    By default big blocks are mapped, and given back to the system as soon as they are freed: a
    training step on the CPU then has the system clear hundreds of thousands of pages, again and
    again. It holds until the process ends; its peak stays about the same, but it keeps that much.

    Returns:
        Whether it is so: not without glibc (musl, macOS, Windows), nor where the environment
        (``MALLOC_TRIM_THRESHOLD_`` and its kin, ``GLIBC_TUNABLES``) says how memory is kept.
    """
    tunables = os.environ.get("GLIBC_TUNABLES", "")
    is_chosen = any(name in os.environ for name in _USERS_OWN)
    if sys.platform != "linux" or is_chosen or any(name in tunables for name in _USERS_TUNABLES):
        return False
    libc = ctypes.CDLL(None)
    if not hasattr(libc, "gnu_get_libc_version"):
        return False
    # A threshold for mapping would have to be 32 MiB or less, and activations are larger: so
    # nothing is mapped. -1 is never to trim the heap; 2 GB, the largest number, is less than a
    # step of a large batch frees.
    return bool(libc.mallopt(_M_MMAP_MAX, 0) and libc.mallopt(_M_TRIM_THRESHOLD, -1))
