"""The tests of a run: when there is one, whether on targets or on validation, and with which model.

Where a model is chosen on validation, tests after epochs are on held-out identities, and the
targets are tested once, with the model that was chosen.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from reidcore._logging import RESULT
from reidcore.config.options.test import VALIDATION
from reidcore.engine.checkpointing import load_best, write_checkpoints
from reidcore.engine.results import results_table, tested_weights
from reidcore.plugins.discovery import BUNDLED_DISTRIBUTION

if TYPE_CHECKING:
    from reidcore.config.options.plan import RunPlan
    from reidcore.engine.datamanager import Loader
    from reidcore.engine.engine import Engine
    from reidcore.engine.evaluator import TargetResult

_log = logging.getLogger(__name__)


class RunTests:
    """Tests the model of a run where its plan says so, and chooses the best by what they find.

    Args:
        engine: tests its model.
        plan: says how often, and whether a model is chosen on targets or on validation.
        resumed: the checkpoint that the run goes on from.

    Attributes:
        is_due: the epochs done so far end with a test that has not come to its end.
        is_trained: no epoch comes any more, and the model that comes of it is tested.
    """

    def __init__(self, engine: Engine, plan: RunPlan, resumed: Path | None) -> None:
        self.engine = engine
        self.plan = plan
        self.is_due = False
        self.is_trained = False
        self._folders = [Path(plan.save_dir), *([resumed.parent] if resumed else [])]

    # -- when --------------------------------------------------------------------------------------

    @property
    def begin_the_run(self) -> bool:
        """Whether the weights are tested as they are given, before an epoch is trained."""
        has_no_epoch_left = 0 < self.plan.max_epoch <= self.plan.start_epoch
        is_left = has_no_epoch_left and not self._validates  # where the chosen one is tested
        is_wanted = self.plan.test_only or self.is_due or is_left
        return is_wanted and bool(self._sets)

    @property
    def is_final(self) -> bool:
        """Whether the test under way is the last one on the targets."""
        is_last = self.engine.epoch + 1 >= self.plan.max_epoch
        return self.is_trained or (is_last and not self._validates)

    def follow(self, done: int) -> bool:
        """Say whether a test follows ``done`` epochs, the last one included."""
        return bool(self._sets) and (self.plan.tests_after(done) or done == self.plan.max_epoch)

    def repeat(self, name: str) -> bool:
        """Say whether a set is tested again before the resumed run trains an epoch, if it does.

        Args:
            name: a target, or ``validation``.
        """
        if self._validates and name in self.engine.test_loader:
            stops = self.engine.plugins.hook.reid_stop_training(engine=self.engine) is not None
            return self.plan.start_epoch >= self.plan.max_epoch or (stops and not self.is_due)
        return self.begin_the_run and name in self._sets

    def take_up(self, is_due: bool) -> None:
        """Go on from a checkpoint, whose last epoch may want its test still."""
        self.is_due = is_due and bool(self._sets)
        if self.is_due:
            _log.info("The test after epoch %d was cut short: done first", self.plan.start_epoch)
            self.engine.epoch = self.plan.start_epoch - 1

    # -- testing -----------------------------------------------------------------------------------

    def test(self) -> None:
        """Test what is due after an epoch, and put what was found into the checkpoint."""
        engine, done, rank1 = self.engine, self._done, None
        if self._validates:
            with self._on_validation():
                results = engine.test_targets(self.plan)
        else:
            results = engine.test_targets(self.plan)
            engine.record.tested_epoch = done
        self._log_results(results)
        if not self.is_due:
            return
        if not self._validates:
            rank1 = next(iter(results.values())).ranking.cmc_at(1)
            engine.record.history[-1]["rank1"] = rank1
        is_best = engine.record.selection.take(done, results)
        self.is_due = False
        write_checkpoints(engine, self.plan.save_dir, done, rank1=rank1, is_best=is_best)

    def test_result(self) -> None:
        """Test the targets where training is done and its last epoch did not: with its model.

        That is the one which validation chose, which is taken without a target too, or, where
        training was stopped, the last.
        """
        engine = self.engine
        if not (self._validates or self._lacks_last_test):
            return
        self.is_trained = True
        tested: int | None = self._done
        if self._validates:
            name = f"{next(iter(engine.states))}-best.pth.tar"
            files = [folder / name for folder in self._folders]
            tested = load_best(engine, files)
        if not engine.test_loader:
            return
        engine.record.tested_epoch = tested
        self._log_results(engine.test_targets(self.plan))

    @property
    def _done(self) -> int:
        """The epochs that the weights in place were trained for."""
        history = self.engine.record.history
        return int(history[-1]["epoch"]) if history else self.plan.start_epoch

    @property
    def _lacks_last_test(self) -> bool:
        """Whether training was stopped without a test of its weights that does all a last one does.

        A test after an epoch is as good, unless pictures are drawn or others' plugins listen.
        """
        record = self.engine.record
        if record.stopped is None or not self.engine.test_loader:
            return False
        listening = self.engine.plugins.implementations("reid_target_tested")
        is_listened = any(each.distribution != BUNDLED_DISTRIBUTION for each, _ in listening)
        return record.tested_epoch != self._done or self.plan.visrank or is_listened

    @property
    def _validates(self) -> bool:
        return self.plan.select_on == VALIDATION and not self.plan.test_only

    @property
    def _sets(self) -> Mapping[str, Mapping[str, Loader]]:
        """What tests after epochs are on, by name."""
        facts = self.engine.data_facts
        return facts.validation_loader if self._validates else self.engine.test_loader

    @contextmanager
    def _on_validation(self) -> Iterator[None]:
        """Let held-out identities stand for the targets; their results are not the targets'."""
        engine = self.engine
        targets, found = engine.test_loader, engine.record.targets
        engine.test_loader = self._sets
        try:
            yield
        finally:
            engine.test_loader, engine.record.targets = targets, found

    def _log_results(self, results: Mapping[str, TargetResult]) -> None:
        weights = tested_weights(self.engine)
        table, text = results_table(results, self.plan.ranks, weights)
        _log.log(RESULT, "%s", text, extra={"renderable": table})
