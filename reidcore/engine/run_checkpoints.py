"""The checkpoints of a run: when they are written, and which of them stay."""

from __future__ import annotations

import glob
import re
from itertools import product
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING

from reidcore.engine.agreement import Ballot
from reidcore.engine.checkpoint import announce, write_checkpoints

if TYPE_CHECKING:
    from reidcore.config.options.plan import RunPlan
    from reidcore.engine.engine import Engine

WITHIN = "-midepoch"
"""Marks the rolling checkpoint inside an epoch, which gives way to the one at its end."""


class RunCheckpoints:
    """Writes a run's checkpoints and removes those that it need not keep.

    Args:
        engine: whose state they hold.
        plan: says where they go, how many stay, and how often one is written inside an epoch.
        resumed: the checkpoint that the run goes on from.

    Attributes:
        newest: the last one written or, before that, the one that was resumed from.
    """

    def __init__(self, engine: Engine, plan: RunPlan, resumed: Path | None) -> None:
        self.engine = engine
        self.plan = plan
        self.newest = resumed
        self._folder = Path(plan.save_dir)
        self._written_at = monotonic()
        self._ballot = Ballot()
        # Epochs whose checkpoints may be removed later, in order.
        self._rolling = self._earlier_epochs() if plan.keep_checkpoints is not None else []

    def after_epoch(self, done: int, is_tested: bool) -> None:
        """Write one after ``done`` epochs, and remove those that it stands for.

        Args:
            done: the number of epochs done.
            is_tested: whether a test follows, whose figures are to be of a file that is there.
        """
        paths = write_checkpoints(self.engine, self._folder, done)
        announce(paths)
        self._take_in(paths)
        patterns = [f".pth.tar-{epoch}" for epoch in self._given_up(done, is_tested)]
        if self.engine.is_main_process:
            self._remove([*patterns, f"{WITHIN}.pth.tar-*"])

    def within_epoch(self, done: int, step: int) -> None:
        """Write one inside an epoch, between two steps, if so many minutes have passed.

        Of several processes all learn in the next step that it was time in one.
        """
        minutes = self.plan.checkpoint_minutes
        if minutes is None:
            return
        is_time = monotonic() - self._written_at >= 60 * minutes
        if not self._ballot.largest(int(is_time)):
            return
        self._take_in(write_checkpoints(self.engine, self._folder, done, step=step, suffix=WITHIN))

    def interrupted(self, done: int, step: int) -> Path:
        """Write one where a run stops, and return the first model's file."""
        suffix = "-interrupted"
        paths = write_checkpoints(self.engine, self._folder, done, step=step, suffix=suffix)
        self._take_in(paths)
        return paths[0]

    def _take_in(self, paths: list[Path]) -> None:
        self.newest, self._written_at = paths[0], monotonic()
        self._ballot.forget()

    def _given_up(self, done: int, is_tested: bool) -> list[int]:
        """Take in an epoch's checkpoint; return the epochs of those that need not stay."""
        keep = self.plan.keep_checkpoints
        if keep is None:
            former, self._rolling = self._rolling, [] if is_tested else [done]
            return former
        epochs = [*(epoch for epoch in self._rolling if epoch < done), done]
        self._rolling = epochs[-keep:]
        return epochs[:-keep]

    def _earlier_epochs(self) -> list[int]:
        """Return the epochs of the checkpoints that the run which is resumed has left."""
        if self.newest is None or not self._folder.is_dir():
            return []
        name = re.escape(next(iter(self.engine.states)))
        names = (path.name for path in self._folder.iterdir())
        found = (re.fullmatch(rf"{name}\.pth\.tar-(\d+)", each) for each in names)
        return sorted(int(match[1]) for match in found if match)

    def _remove(self, patterns: list[str]) -> None:
        """Remove every model's files of some moments."""
        for name, pattern in product(self.engine.states, patterns):
            for path in self._folder.glob(f"{glob.escape(name)}{pattern}"):
                path.unlink(missing_ok=True)
