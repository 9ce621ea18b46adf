"""Alarms about data: identities that never come, and time that passes waiting for images."""

from __future__ import annotations

import math

import numpy as np

from reid_plugins_training.alarms.alarm import Alarm
from reid_plugins_training.classes import first_images
from reidcore.engine import Engine

_MOST_NAMED = 3

_MOST_WAITING = 0.3
_LEAST_SECONDS = 5.0
"""The share of an epoch, and the seconds, spent waiting beyond which it is told."""


class NeverSampled(Alarm):
    """Identities that no batch has shown since the run began, where that is no accident.

    A sampler that leaves out what does not fill a last batch leaves out other identities in each
    epoch; those that are missing every time are counted against how many chance would leave.
    """

    def __init__(self) -> None:
        super().__init__()
        self._never: np.ndarray | None = None
        self._by_chance = 0.0

    def epoch_done(self, engine: Engine) -> None:
        """Count the identities of the epoch's batches, over all processes."""
        batch_rows = getattr(engine.train_loader, "batch_rows", None)
        table = engine.data_facts.train_table
        if batch_rows is None or table is None or not len(table):
            return
        pids = np.unique(table.pids)
        missing = ~np.isin(pids, table.pids[np.concatenate(batch_rows())])
        if self._never is None:
            self._never, self._by_chance = missing, float(missing.sum())
            return  # one epoch cannot tell chance from a fault
        self._never &= missing
        self._by_chance *= missing.mean()
        names = first_images(table)
        never = [names[place] for place in np.flatnonzero(self._never)]
        if len(never) > 3 * (self._by_chance + math.sqrt(self._by_chance)):
            more = f" and {len(never) - _MOST_NAMED} more" if len(never) > _MOST_NAMED else ""
            self.tell(
                f"{len(never)} of {len(pids)} identities were in no batch so far, those of "
                f"{', '.join(never[:_MOST_NAMED])}{more}: look at sampler.train_sampler."
            )


class WaitingForData(Alarm):
    """A run that waits for images for a large part of its time."""

    def epoch_done(self, engine: Engine) -> None:
        """Compare the seconds of waiting with those of the whole epoch."""
        epoch = engine.record.history[-1]
        seconds, waited = epoch["seconds"], epoch["data_seconds"]
        if waited > max(_MOST_WAITING * seconds, _LEAST_SECONDS):
            self.tell(
                f"Epoch {epoch['epoch']} waited for images for {waited / seconds:.0%} of its "
                "time: raise data.workers, or set data.cache=memory."
            )
