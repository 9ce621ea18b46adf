"""Which counting kernel is in use: the compiled one, or torch's where nothing was compiled."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from types import ModuleType

import torch

from reidcore.errors import UnknownNameError, counted, did_you_mean

_KINDS = ("cython", "torch")
_chosen: ContextVar[str] = ContextVar("reidcore_evaluation_kernel", default="cython")


def compiled() -> ModuleType | None:
    """Return the compiled extension, or None where it is missing or not wanted."""
    if _chosen.get() == "torch":
        return None
    try:
        from reidcore.evaluation import _counting
    except ImportError:
        return None
    return _counting


def thread_count() -> int:
    """Return how many threads the compiled kernel shares the work among (torch's number)."""
    extension = compiled()
    return torch.get_num_threads() if extension and extension.HAS_OPENMP else 1


def kernel_in_use() -> str:
    """Say which kernel counts: ``"cython (OpenMP, 8 threads, AVX2)"`` or ``"torch"``."""
    extension = compiled()
    if extension is None:
        return "torch"
    parts = ["OpenMP"] * extension.HAS_OPENMP + [
        counted(thread_count(), "thread"),
        extension.kernels()[0],
    ]
    return f"cython ({', '.join(parts)})"


@contextmanager
def counting_with(kind: str) -> Iterator[None]:
    """Count with ``"cython"`` or ``"torch"`` inside the block, to compare or to test them.

    Raises:
        UnknownNameError: if there is no such kernel.
    """
    if kind not in _KINDS:
        raise UnknownNameError(f"no counting kernel {kind!r}", did_you_mean(kind, _KINDS))
    token = _chosen.set(kind)
    try:
        yield
    finally:
        _chosen.reset(token)
