"""The checkpoints of a run: when they are written, and which of them stay."""

from __future__ import annotations

import re
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING

from reidcore.engine.agreement import Ballot
from reidcore.engine.checkpoint import announce
from reidcore.engine.checkpointing import write_checkpoints

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
        self._untested: int | None = None  # the last epoch, if it may give way to the next

    def after_epoch(self, done: int, is_tested: bool) -> None:
        """Write one after ``done`` epochs, and remove those that it stands for.

        Args:
            done: the number of epochs done.
            is_tested: whether a test follows, whose figures are to be of a file that is there.
        """
        paths = write_checkpoints(self.engine, self._folder, done)
        announce(paths)
        self._take_in(paths)
        former, self._untested = self._untested, None if is_tested else done
        if former is not None and self.plan.keep_checkpoints is None:
            self._remove(f".pth.tar-{former}")
        self.tidy(done)

    def tidy(self, done: int) -> None:
        """Remove what the checkpoint after ``done`` epochs stands for.

        Some of it may be there since a run was killed before it came to that.
        """
        keep = self.plan.keep_checkpoints
        given_up = [] if keep is None else self._epochs("", done)[:-keep]
        for epoch in given_up:
            self._remove(f".pth.tar-{epoch}")
        for epoch in self._epochs(WITHIN, done - 1):
            self._remove(f"{WITHIN}.pth.tar-{epoch}")

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

    def _epochs(self, suffix: str, most: int) -> list[int]:
        """Return the epochs, up to one, that the folder has such a checkpoint of, in order."""
        if not self._folder.is_dir():
            return []
        form = re.compile(rf"{re.escape(next(iter(self.engine.states)) + suffix)}\.pth\.tar-(\d+)")
        found = (form.fullmatch(path.name) for path in self._folder.iterdir())
        return sorted(epoch for match in found if match and (epoch := int(match[1])) <= most)

    def _remove(self, ending: str) -> None:
        """Remove every model's file of one moment; of several processes one does."""
        for name in self.engine.states if self.engine.is_main_process else ():
            (self._folder / f"{name}{ending}").unlink(missing_ok=True)
