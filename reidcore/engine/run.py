"""One run under way: its output, its checkpoints, its record, and how it ends."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

import torch

from reidcore._files import mkdir_if_missing, write_json
from reidcore.engine.checkpoint import restore_run, write_checkpoints
from reidcore.engine.console import Display, Position, make_display, show
from reidcore.engine.interrupts import Interrupted
from reidcore.engine.meters import AverageMeter, MetricMeter
from reidcore.engine.results import RunRecord, record_run
from reidcore.engine.sanity_checks import needs_two_images
from reidcore.engine.tensorboard import open_writer, write_targets, write_training
from reidcore.evaluation import table
from reidcore.plugins import describe

if TYPE_CHECKING:
    from reidcore.config.options.plan import RunPlan
    from reidcore.engine.engine import Engine
    from reidcore.engine.evaluator import TargetResult
    from reidcore.engine.step import StepOutcome, StepPlan

_log = logging.getLogger(__name__)

RESULTS = "results.json"
TEST_RESULTS = "test_results.json"


class Run:
    """What accompanies the engine's loop from start to end; use it as a context.

    Args:
        engine: does the work.
        plan: what is to be done.
        step: who takes part in the training step.
    """

    def __init__(self, engine: Engine, plan: RunPlan, step: StepPlan) -> None:
        self.engine = engine
        self.plan = plan
        self.step = step
        self.result: dict[str, Any] | None = None
        self._exits = ExitStack()
        self._display: Display
        self._meters = MetricMeter()
        self._batch_time, self._data_time = AverageMeter(), AverageMeter()
        self._rolling: list[Path] = []
        self._has_trained = False
        self._steps_taken = 0
        self._batch = 0
        self._skip = 0
        self._started = time.perf_counter()

    # -- start and end -----------------------------------------------------------------------------

    def __enter__(self) -> Run:
        mkdir_if_missing(self.plan.save_dir)
        self._display = make_display(self.plan.print_freq)
        self._exits.callback(self._display.close)
        self._exits.callback(setattr, self.engine, "progress", self.engine.progress)
        self.engine.progress = self._display.track
        self.engine.accelerator.reset(self.engine.optimizers)
        self.engine.record, self.engine.active_run = RunRecord(), self
        self._exits.enter_context(self.engine.interruption.listening())
        return self

    def start(self) -> None:
        """Restore what a checkpoint held, say who is in the step, and tell the plugins."""
        for line in self._header():
            _log.info("%s", line)
        if not self.plan.test_only:
            if self.engine.writer is None:
                self.engine.writer = open_writer(self.plan.save_dir)
                self._exits.callback(self._close_writer)
            self._skip = restore_run(self.engine, self.plan.start_epoch)
            if self.plan.start_epoch >= self.plan.max_epoch:
                _log.warning(
                    "Nothing to train: %d of %d epochs are done; raise train.max_epoch",
                    self.plan.start_epoch,
                    self.plan.max_epoch,
                )
        self.engine.plugins.hook.reid_run_start(engine=self.engine)

    def finish(self) -> dict[str, Any]:
        """Write and return the record of the run."""
        self.result = self._write_record(is_finished=True)
        return self.result

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.engine.active_run = None
        with self._exits:
            try:
                if error is not None:
                    self._save_what_is_done(error)
            finally:
                self._tell_end(error)

    # -- the loop ----------------------------------------------------------------------------------

    @property
    def is_first_step(self) -> bool:
        """Whether no step has been taken yet in this run."""
        return self._steps_taken == 0

    def batches(self) -> Iterator[Mapping[str, Any]]:
        """Yield the epoch's training batches, timing how long each takes to come."""
        self._meters = MetricMeter()
        self._batch_time, self._data_time = AverageMeter(), AverageMeter()
        self._batch, skip, self._skip = self._skip, self._skip, 0
        self._batch_started = time.perf_counter()
        for batch in self._epoch_loader(skip):
            self._data_time.update(time.perf_counter() - self._batch_started)
            if self._is_too_small(batch):
                self._batch += 1
                continue
            yield batch

    def step_done(self, outcome: StepOutcome) -> None:
        """Take in what a step did and show it."""
        if not outcome.was_skipped:
            self._steps_taken += 1
            self._meters.update(outcome.figures())
        self._batch += 1
        self._batch_time.update(time.perf_counter() - self._batch_started)
        self._batch_started = time.perf_counter()
        position = Position(
            self.engine.epoch + 1, self.plan.max_epoch, self._batch, self._num_batches
        )
        if self._display.step(position, self._figures, self._batch_time.avg):
            step = self.engine.epoch * self._num_batches + self._batch
            write_training(self.engine.writer, self._scalars(), step)

    def epoch_done(self) -> None:
        """Keep the epoch's averages for the record."""
        self._has_trained = True
        self.engine.record.history.append(
            {
                "epoch": self.engine.epoch + 1,
                **self._meters.averages(),
                "lr": self.engine.get_current_lr(),
                "seconds": self._batch_time.sum,
                "data_seconds": self._data_time.sum,
                "skipped_images": len(getattr(self.engine.train_loader, "skipped", ())),
            }
        )

    def save(self, done: int) -> None:
        """Write a checkpoint after ``done`` epochs; it replaces the one before it.

        Those of epochs that were tested, and the last, stay.
        """
        previous = self._rolling
        written = write_checkpoints(self.engine, self.plan.save_dir, done)
        for path in previous:
            path.unlink(missing_ok=True)
        stays = self.plan.tests_after(done) or done == self.plan.max_epoch
        self._rolling = [] if stays else written

    def tested(self, results: Mapping[str, TargetResult]) -> None:
        """Take in the results of a test, show them, and put the rank-1 into the checkpoint."""
        show(table({name: result.ranking for name, result in results.items()}, self.plan.ranks))
        if not self._has_trained:
            return
        best = max((epoch.get("rank1", -1.0) for epoch in self.engine.record.history), default=-1.0)
        done = self.engine.record.history[-1]["epoch"]
        write_targets(self.engine.writer, results, done)
        rank1 = next(iter(results.values())).ranking.cmc_at(1)
        self.engine.record.history[-1]["rank1"] = rank1
        write_checkpoints(self.engine, self.plan.save_dir, done, rank1=rank1, is_best=rank1 > best)

    # -- inside ------------------------------------------------------------------------------------

    def _epoch_loader(self, skip: int) -> Iterable[Mapping[str, Any]]:
        loader = self.engine.train_loader
        self.engine.accelerator.receive(loader)
        self._num_batches = len(loader)
        if hasattr(loader, "set_epoch"):
            loader.set_epoch(self.engine.epoch, skip=skip)
        batches: Iterable[Mapping[str, Any]] = loader
        return batches

    def _figures(self) -> str:
        return f"{self._meters}  lr {self.engine.get_current_lr():.6f}"

    def _scalars(self) -> dict[str, float]:
        return {
            "time": self._batch_time.avg,
            "data": self._data_time.avg,
            **self._meters.averages(),
            "lr": self.engine.get_current_lr(),
        }

    def _header(self) -> list[str]:
        active = ", ".join(
            f"{plugin.name} {plugin.version}".rstrip() for plugin in self.engine.plugins.active
        )
        device = str(self.engine.device)
        return [
            f"plugins: {active}",
            *self.step.describe(),
            f"device: {device}, torch {torch.__version__}",
        ]

    def _close_writer(self) -> None:
        if self.engine.writer is not None:
            self.engine.writer.close()
            self.engine.writer = None

    def _write_record(self, is_finished: bool) -> dict[str, Any]:
        timings = {"total_seconds": time.perf_counter() - self._started}
        record = record_run(self.engine, self.plan, self.step, timings, is_finished)
        # A test beside a training must not take the place of the training's record.
        path = Path(self.plan.save_dir) / (TEST_RESULTS if self.plan.test_only else RESULTS)
        write_json(record, path)
        _log.info("Results written to %s", path)
        skipped = self.engine.datamanager.skipped
        if skipped:
            _log.warning(
                "%d unreadable image%s left out, such as %s",
                len(skipped),
                " was" if len(skipped) == 1 else "s were",
                next(iter(skipped)),
            )
        return record

    def _save_what_is_done(self, error: BaseException) -> None:
        if isinstance(error, Interrupted) and not self.plan.test_only:
            self._leave_checkpoint()
        elif self._rolling:
            _log.info("The last finished epoch is in %s", self._rolling[0])
        record = self.engine.record
        if record.history or record.targets:
            self._write_record(is_finished=False)

    def _is_too_small(self, batch: Mapping[str, Any]) -> bool:
        """Whether unreadable images left one image alone, and the model cannot learn from it."""
        is_alone = len(batch["impath"]) == 1 and bool(batch.get("skipped"))
        return is_alone and needs_two_images(self.engine.model)

    def _leave_checkpoint(self) -> None:
        done, step = self.engine.epoch, self._batch
        if self._has_trained and self.engine.record.history[-1]["epoch"] == done + 1:
            done, step = done + 1, 0
        paths = write_checkpoints(
            self.engine, self.plan.save_dir, done, step=step, suffix="-interrupted"
        )
        _log.info(
            "Stopped after %d epochs and %d batches. To go on, run the same command with: "
            "model.resume=%s",
            done,
            step,
            paths[0],
        )

    def _tell_end(self, error: BaseException | None) -> None:
        """Call every plugin's reid_run_end; a failure is raised only if nothing else failed."""
        failures = []
        for plugin in self.engine.plugins.active:
            if "reid_run_end" not in plugin.hooks:
                continue
            hook = self.engine.plugins.subset_hook("reid_run_end", [plugin])
            try:
                hook(engine=self.engine, result=self.result)
            except Exception as failure:
                _log.error(
                    "! plugin %s failed in reid_run_end: %s", plugin.origin, describe(failure)
                )
                failures.append(failure)
        if failures and error is None:
            raise failures[0]
