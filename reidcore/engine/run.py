"""One run under way: its output, its checkpoints, its record, and how it ends."""

from __future__ import annotations

import logging
import shlex
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

import torch

from reidcore._files import check_writable, mkdir_if_missing, remove_abandoned, write_json
from reidcore._run_folder import RESULTS, TEST_RESULTS, EarlierRun, held_for_training
from reidcore.data.left_out import first_names
from reidcore.data.loader.batch_sampler import rank_and_world
from reidcore.engine.agreement import on_main_process
from reidcore.engine.checkpointing import restore_run
from reidcore.engine.datamanager import batches_of, left_without_images, note_skipped, skipped_by
from reidcore.engine.hook_results import checked_reason, files_of_runs, gathered_figures
from reidcore.engine.interrupts import Interrupted
from reidcore.engine.loss_terms import modules_of, optimizers_of
from reidcore.engine.meters import EpochMeters, Position
from reidcore.engine.prefetch import beside_the_step
from reidcore.engine.process_group import broadcast_object, gather_objects, reduce_mean
from reidcore.engine.results import RunRecord, record_run
from reidcore.engine.rng import seed_process
from reidcore.engine.run_checkpoints import RunCheckpoints
from reidcore.engine.run_tests import RunTests
from reidcore.engine.sanity_checks import needs_two_images
from reidcore.engine.selection import Selection
from reidcore.engine.stages import Stage, check_place, entered, stage_at
from reidcore.errors import DataError, UserError, counted
from reidcore.optim.pacing import PacedScheduler
from reidcore.plugins import Plugin, describe
from reidcore.plugins.advice import leaving_out

if TYPE_CHECKING:
    from reidcore.config.options.plan import RunPlan
    from reidcore.engine.engine import Engine
    from reidcore.engine.step import StepOutcome, StepPlan

_log = logging.getLogger(__name__)

_LAST = "last step's "

IN_PROGRESS = {"is_progress": True}
"""Marks a log record that a live display makes superfluous."""


class Run:
    """What accompanies the engine's loop from start to end; use it as a context.

    Args:
        engine: does the work.
        plan: what is to be done.
        step: who takes part in the training step.
        stages: the parts of its training.

    Attributes:
        meters: what the epoch under way has shown so far.
        batch: the batch of the step under way, as the loader gave it; None between two steps.
        result: what ``results.json`` holds, once the run is finished.
        checkpoints: writes them, and removes those that need not stay.
        tests: tests the model, and chooses the best.
    """

    def __init__(
        self, engine: Engine, plan: RunPlan, step: StepPlan, stages: Sequence[Stage]
    ) -> None:
        self.engine = engine
        self.plan = plan
        self.step = step
        self.stages = stages
        self.meters = EpochMeters()
        self.batch: Mapping[str, Any] | None = None
        self.result: dict[str, Any] | None = None
        self._exits = ExitStack()
        self._stage = ExitStack()
        self._earlier: EarlierRun | None = None
        self._resumed: Path | None = None
        point = engine.resume_point
        if point is not None and point == plan.start_epoch and not plan.test_only:
            self._resumed = Path(point.path)
        self.checkpoints = RunCheckpoints(engine, plan, self._resumed)
        self.tests = RunTests(engine, plan, self._resumed)
        self._is_between_steps = False
        self._steps_taken = 0
        self._batch = self._num_batches = 0
        self._skip = 0
        self._figures: dict[str, float] | None = None
        self._started = time.perf_counter()

    # -- start and end -----------------------------------------------------------------------------

    def __enter__(self) -> Run:
        folder = Path(self.plan.save_dir).resolve()
        # Other processes than rank 0 write nothing into it, and may be on a host that has it not.
        on_main_process(lambda: self._hold_folder(folder))
        self.engine.accelerator.reset(self.engine.optimizers)
        self.engine.accelerator.finite.forget()
        selection = Selection.planned(self.engine, self.plan)
        self.engine.record, self.engine.active_run = RunRecord(selection=selection), self
        self._exits.enter_context(self.engine.interruption.listening())
        self._exits.callback(self.engine.replicas.stop)
        self._exits.enter_context(self._stage)
        for state in self.engine.states.values():
            self._exits.callback(self.engine.open_again, state.model)
        return self

    def start(self) -> None:
        """Restore what a checkpoint held, say who is in the step, and tell the plugins."""
        self._log_header()
        seed_process()
        if not self.plan.test_only:
            self._enter_stage(stage_at(self.stages, self.plan.start_epoch))
            self._skip, is_due = restore_run(self.engine, self.plan.start_epoch)
            if self._resumed is not None:
                self.checkpoints.tidy(self.plan.start_epoch)
            self._batch = self._skip
            self.tests.take_up(is_due)
            if self.plan.start_epoch >= self.plan.max_epoch:
                _log.warning(
                    "Nothing to train: %d of %s done; raise train.max_epoch",
                    self.plan.start_epoch,
                    counted(self.plan.max_epoch, "epoch"),
                )
        self.engine.replicas.start(self.engine.optimizers)
        self.engine.plugins.hook.reid_run_start(engine=self.engine)
        self.engine.replicas.share(modules_of(self.engine.terms))

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
        with self._exits:
            try:
                if error is not None:
                    self._save_what_is_done(error)
            finally:
                try:
                    self._call_run_end(error)
                finally:
                    self.engine.active_run = None
                    if self._earlier is not None:
                        self._earlier.settle(has_begun=error is None or not self.is_first_step)

    # -- where the run is --------------------------------------------------------------------------

    @property
    def is_first_step(self) -> bool:
        """Whether no step has been taken yet in this run."""
        return self._steps_taken == 0

    @property
    def position(self) -> Position:
        """The epoch under way and the batches done in it."""
        return Position(
            self.engine.epoch + 1,
            self.plan.max_epoch,
            self._batch,
            self._num_batches,
            self.meters.batch_seconds.avg,
        )

    @property
    def shows_figures(self) -> bool:
        """Whether figures are due after this step; reading them waits for the device."""
        return not self._batch % self.plan.print_freq or self._batch == self._num_batches

    def figures(self) -> dict[str, float]:
        """Return the epoch's averages so far by name, plugins' figures included, and the rate.

        Of several processes they are the means of all where `shows_figures` is true, and at an
        epoch's end; between, where processes do not wait for one another, this one's own.
        """
        if self._figures is None:
            own = self.meters.figures.averages() | {"lr": self.engine.get_current_lr()}
            self._figures = own | gathered_figures(self.engine, own)
        return self._figures

    def timings(self) -> dict[str, float]:
        """Return the average seconds of a batch: ``time``, and ``data``, its wait for images."""
        return {"time": self.meters.batch_seconds.avg, "data": self.meters.data_seconds.avg}

    # -- the loop ----------------------------------------------------------------------------------

    def epochs(self) -> Iterator[int]:
        """Yield the epochs to train, from 0, until a plugin says that the next is not worth it."""
        plugins, record = self.engine.plugins, self.engine.record
        for epoch in range(self.plan.start_epoch, self.plan.max_epoch):
            why = plugins.hook.reid_stop_training(engine=self.engine)
            # Rank 0's answer: clocks, which it may look at, differ.
            record.stopped = broadcast_object(checked_reason(why, plugins))
            if record.stopped is not None:
                _log.info("Training stops after %s: %s", counted(epoch, "epoch"), record.stopped)
                return
            if (stage := stage_at(self.stages, epoch)).name != self.engine.stage.name:
                self.engine.replicas.stop()
                self._enter_stage(stage)
                self.engine.replicas.start(self.engine.optimizers)
            yield epoch

    def batches(self) -> Iterator[Mapping[str, Any]]:
        """Yield the epoch's training batches, timing how long each takes to come."""
        if not self._skip:
            self.meters = EpochMeters()
        self._batch, skip, self._skip = self._skip, self._skip, 0
        self._batch_started = time.perf_counter()
        self._is_between_steps = True
        for batch in self.engine.interruption.stoppable(self._epoch_loader(skip)):
            self.meters.data_seconds.update(time.perf_counter() - self._batch_started)
            if self._is_too_small(batch):
                self._batch += 1
                continue
            self._is_between_steps, self.batch = False, batch
            self._set_step_rates()
            yield batch
            self.batch = None
            self._is_between_steps = True  # and every plugin has seen the step
            self.checkpoints.within_epoch(self.engine.epoch, self._batch)
        self._is_between_steps = False

    def step_done(self, outcome: StepOutcome) -> None:
        """Take in what a step did, and log it every ``print_freq`` batches."""
        if not outcome.was_skipped:
            self._steps_taken += 1
        figures = None if outcome.was_skipped else outcome.figures()
        self.meters.update(figures, seconds=time.perf_counter() - self._batch_started)
        self._batch_started = time.perf_counter()
        self._batch += 1
        self._figures = None
        if self.shows_figures:
            last = {name: each.val for name, each in self.meters.figures.meters.items()}
            _log.info("%s", self._step_line(self._agreed_figures(last)), extra=IN_PROGRESS)

    def epoch_figures(self) -> dict[str, float]:
        """Return the epoch's averages and the learning rate that it was trained at.

        Raises:
            UserError: if no step was taken.
        """
        if not self.meters.steps:
            raise self._nothing_trained()
        self._figures = None
        self._is_between_steps = True  # all batches are done, and the schedules where they were
        self._agreed_figures({})
        self._is_between_steps = False
        return self.figures()

    def epoch_done(self, figures: Mapping[str, float]) -> None:
        """Keep an epoch's figures for the record, and log them."""
        self.tests.is_due = self.tests.follow(self.engine.epoch + 1)
        loader = self.engine.train_loader
        for skipped in gather_objects(dict(skipped_by(loader))):
            note_skipped(loader, skipped)
        seconds = self.meters.batch_seconds.sum
        self.engine.record.history.append(
            {
                "epoch": self.engine.epoch + 1,
                **figures,
                "seconds": seconds,
                "data_seconds": self.meters.data_seconds.sum,
                "skipped_images": len(skipped_by(loader)),
            }
        )
        shown = "  ".join(f"{name} {value:.4g}" for name, value in figures.items())
        _log.info(
            "epoch %d/%d  %s  %.1f s", self.engine.epoch + 1, self.plan.max_epoch, shown, seconds
        )

    def save(self, done: int) -> None:
        """Write a checkpoint after ``done`` epochs."""
        self.checkpoints.after_epoch(done, is_tested=self.tests.follow(done))
        self._let_earlier_go()

    # -- inside ------------------------------------------------------------------------------------

    def _enter_stage(self, stage: Stage) -> None:
        """Leave the stage under way, if there is one, and put another in its place."""
        engine, point = self.engine, self.engine.resume_point
        if point is not None and point == self.plan.start_epoch:
            check_place(stage, point)
        if len(self.stages) > 1:
            _log.info("Stage %s: %s", stage.name, counted(stage.epochs, "epoch"))
        self._stage.close()
        self._stage.enter_context(entered(engine, stage))
        engine.record.last_stage = stage if stage.is_last else None
        engine.accelerator.reset(engine.optimizers)
        engine.loss_optimizers = optimizers_of(engine.terms, engine.loss_optimizers)

    def _hold_folder(self, folder: Path) -> None:
        """Make the run's folder ready; a training has it for itself until its end."""
        mkdir_if_missing(folder)
        check_writable(folder, "save_dir=FOLDER")
        remove_abandoned(folder)
        if not self.plan.test_only and self.plan.max_epoch:
            starts_anew = self._resumed is None and not self.plan.start_epoch
            files = files_of_runs(self.engine.plugins, folder)
            held = held_for_training(folder, files, starts_anew, self.plan.overwrites)
            self._earlier = self._exits.enter_context(held)

    def _let_earlier_go(self) -> None:
        if self._earlier is not None:
            self._earlier.give_way()

    def _epoch_loader(self, skip: int) -> Iterable[Mapping[str, Any]]:
        loader = self.engine.train_loader
        self.engine.accelerator.receive(loader)
        if hasattr(loader, "set_epoch"):
            loader.set_epoch(self.engine.epoch, skip=skip)
        if (batches := batches_of(loader)) is not None:
            batches.update(self.engine, on_main_process)
        self._num_batches = len(loader)
        accelerator = self.engine.accelerator
        return beside_the_step(loader, accelerator.device, accelerator.move)

    def _nothing_trained(self) -> UserError:
        what = f"epoch {self.engine.epoch + 1} took no training step"
        skipped = skipped_by(self.engine.train_loader)
        if self.meters.batches:
            names = ", ".join(map(repr, self.step.plugins)) or type(self.engine).__name__
            return UserError(
                f"{what}: the step of {names} left out all of its {self.meters.batches} batches",
                f"Find out why it skips them, or leave a plugin out: {leaving_out()}",
            )
        if skipped:
            return left_without_images(what, skipped)
        return DataError(f"{what}: the training loader gave no batch", "Give it more images.")

    def _agreed_figures(self, last: Mapping[str, float]) -> dict[str, float]:
        """Let `figures` be the means over all processes, by one exchange.

        Args:
            last: figures of the last step.

        Returns:
            Their means.
        """
        own = self.figures()
        agreed = reduce_mean(own | {f"{_LAST}{name}": value for name, value in last.items()})
        self._figures = {name: agreed[name] for name in agreed if not name.startswith(_LAST)}
        return {name: agreed[f"{_LAST}{name}"] for name in last}

    def _step_line(self, last: Mapping[str, float]) -> str:
        at, figures = self.position, self.figures()
        added = [
            name for name in figures if name not in self.meters.figures.meters and name != "lr"
        ]
        return "  ".join(
            [
                f"epoch: [{at.epoch}/{at.max_epoch}][{at.batch}/{at.num_batches}]",
                f"time {at.seconds_per_batch:.3f}",
                f"eta {at.eta}",
                *(f"{name} {value:.4f} ({figures[name]:.4f})" for name, value in last.items()),
                f"lr {figures['lr']:.6f}",
                *(f"{name} {figures[name]:.4f}" for name in added),
            ]
        )

    def _log_header(self) -> None:
        """Tell what is not as in any other run; the record has all of it."""
        plugins = self.engine.plugins
        _log.debug("active plugins: %s", _named(plugins.active))
        if added := [each for each in plugins.active if not each.is_bundled]:
            _log.info("plugins: %s", _named(added))
        if disabled := [each for each in plugins if each.state == "disabled"]:
            _log.info("disabled plugins: %s", _named(disabled))
        for line in self.step.describe():
            _log.info("%s", line)
        _, world = rank_and_world()
        processes = f", {world} processes" if world > 1 else ""
        _log.info("device: %s, torch %s%s", self.engine.device, torch.__version__, processes)
        if chosen := self.engine.speed:
            shown = ", ".join(f"{key}={str(value).lower()}" for key, value in chosen.items())
            _log.info("speed: fast chose %s", shown)

    def _write_record(self, is_finished: bool) -> dict[str, Any]:
        """Return the record of the run, which rank 0 writes."""
        timings = {"total_seconds": time.perf_counter() - self._started}
        record = record_run(self.engine, self.plan, self.step, timings, is_finished)
        if not self.engine.is_main_process:
            return record
        # A test beside a training must not take the place of the training's record.
        path = Path(self.plan.save_dir) / (TEST_RESULTS if self.plan.test_only else RESULTS)
        write_json(record, path)
        _log.info("Results written to %s", path)
        if record["not_tested"]:
            _log.warning("Nothing was tested: %s", record["not_tested"])
        skipped = self.engine.data_facts.skipped
        if skipped:
            _log.warning(
                "%d unreadable image%s left out: %s",
                len(skipped),
                " was" if len(skipped) == 1 else "s were",
                first_names(list(skipped), len(skipped)),
            )
        return record

    def _save_what_is_done(self, error: BaseException) -> None:
        # What fails between two steps, such as a worker that reads, leaves all that is done: but in
        # this process alone, and a checkpoint takes all of them.
        is_safe = self._is_between_steps and self._batch > 0 and isinstance(error, Exception)
        is_safe = is_safe and rank_and_world()[1] == 1
        is_wanted = is_safe or isinstance(error, Interrupted)
        is_wanted = is_wanted and not (self.plan.test_only or self.tests.is_trained)
        # While a stage begins none is in place, and the epoch before has a checkpoint.
        is_wanted = is_wanted and self.engine.stage in self.stages
        is_left = is_wanted and _succeeds(self._leave_checkpoint)
        newest = self.checkpoints.newest
        if newest is not None and not is_left:
            _log.info("To go on from the last epoch: model.resume=%s", newest)
            if self.tests.is_due and self.engine.config:
                _log.info("To test it alone: reidcore test %s", shlex.quote(str(newest)))
        record = self.engine.record
        if record.history or record.targets:
            _succeeds(lambda: self._write_record(is_finished=False))

    def _is_too_small(self, batch: Mapping[str, Any]) -> bool:
        """Whether it is one image, the rest of an epoch or of a batch, which the model cannot use.

        The rest of an epoch is told in the first one.

        Raises:
            DataError: if other processes wait for what it cannot learn.
        """
        is_rest, skipped = self._batch + 1 == self._num_batches, batch.get("skipped")
        is_alone = len(batch["impath"]) == 1 and (is_rest or bool(skipped))
        if not (is_alone and needs_two_images(self.engine.model)):
            return False
        if skipped and rank_and_world()[1] > 1:
            what = "a process's share of a batch is one image, which cannot be normalised alone"
            raise left_without_images(what, dict(skipped))
        if is_rest and self.engine.epoch == self.plan.start_epoch:
            _log.info("The last batch of an epoch is one image, not to be normalised: left out")
        return True

    def _set_step_rates(self) -> None:
        """Set the rates of the epoch's next optimizer step, where schedules go by steps."""
        step = self._batch // self.engine.accelerator.precision.accumulate
        for state in self.engine.states.values():
            if isinstance(state.scheduler, PacedScheduler):
                state.scheduler.step_update(step)

    def _leave_checkpoint(self) -> None:
        done, step = self.engine.epoch, self._batch
        history = self.engine.record.history
        if history and history[-1]["epoch"] == done + 1:
            done, step = done + 1, 0
        path = self.checkpoints.interrupted(done, step)
        if not self.is_first_step:
            self._let_earlier_go()
        _log.info(
            "Stopped after %s and %s. To go on, run the same command with: model.resume=%s",
            counted(done, "epoch"),
            counted(step, "batch", "batches"),
            path,
        )

    def _call_run_end(self, error: BaseException | None) -> None:
        """Call every plugin's reid_run_end; a failure is raised only if nothing else failed."""
        failures = []
        by_loading = reversed(self.engine.plugins.implementations("reid_run_end"))
        for plugin, _ in sorted(by_loading, key=lambda pair: pair[1].trylast):
            hook = self.engine.plugins.subset_hook("reid_run_end", [plugin])
            try:
                hook(engine=self.engine, result=self.result, error=error)
            except Exception as failure:
                _log.error(
                    "! plugin %s failed in reid_run_end: %s", plugin.origin, describe(failure)
                )
                failures.append(failure)
        if failures and error is None:
            raise failures[0]


def _succeeds(save: Callable[[], object]) -> bool:
    """Save something of a run that failed; where that fails too, the first failure stands."""
    try:
        save()
    except Exception as failure:
        why = failure if isinstance(failure, UserError) else describe(failure)
        _log.error("! Not saved: %s", why)
        return False
    return True


def _named(plugins: Sequence[Plugin]) -> str:
    return ", ".join(f"{each.name} {each.version}".rstrip() for each in plugins)
