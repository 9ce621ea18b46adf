"""Tells a user whose epochs take longer and longer that other programs want the CPUs."""

from __future__ import annotations

import logging
import math
import os
from time import monotonic

import torch

from reidcore.utils import usable_cpus

# Below the core's logger, so that a bare script shows what a run tells of itself.
_log = logging.getLogger(f"reidcore.{__name__}")

_TIMES_SLOWER = 2.0
_LEAST_SECONDS = 5.0
"""How much slower than the fastest an epoch has to be, in times and in seconds, to be told."""


class EpochClock:
    """Compares each epoch of a run with its fastest, and warns once if a busy machine slows it.

    Torch divides each operation among its threads, which then wait for the last of them: another
    program on one CPU slows the work of all.
    """

    def __init__(self) -> None:
        self._fastest = math.inf
        self._started = 0.0
        self._has_told = False

    def start(self) -> None:
        """Begin an epoch."""
        self._started = monotonic()

    def stop(self, epoch: int) -> None:
        """End an epoch.

        Args:
            epoch: its number, from 1.
        """
        seconds = monotonic() - self._started
        is_slow = seconds > max(_TIMES_SLOWER * self._fastest, self._fastest + _LEAST_SECONDS)
        wanted, cpus = runnable_programs(), usable_cpus()
        if is_slow and not self._has_told and wanted > cpus and torch.get_num_threads() > 1:
            self._has_told = True
            _log.warning(
                "Epoch %d took %.0f s, the fastest %.0f s: %.1f threads want the machine's %d "
                "CPUs, and torch's %d wait for one another. While other programs run, "
                "OMP_NUM_THREADS=1 is often faster.",
                epoch,
                seconds,
                self._fastest,
                wanted,
                cpus,
                torch.get_num_threads(),
            )
        self._fastest = min(self._fastest, seconds)


def runnable_programs() -> float:
    """Return how many threads wanted a CPU in the last minute, on average; 0 where unknown."""
    try:
        return os.getloadavg()[0]
    except (AttributeError, OSError):  # Windows has none, and some containers do not tell
        return 0.0
