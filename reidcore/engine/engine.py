"""The engine: the training loop on one screen, and the methods that Torchreid's users override."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from torch import Tensor

from reidcore._logging import configure_if_bare
from reidcore.engine.batch_layout import reading_of
from reidcore.engine.checkpoint import resume_from_checkpoint, sibling_checkpoints
from reidcore.engine.evaluator import TargetResult, run_target
from reidcore.engine.hook_results import checked_features, checked_outcome
from reidcore.engine.interrupts import Interruption
from reidcore.engine.learner import Learner
from reidcore.engine.plan import RunPlan, as_names
from reidcore.engine.precision import Mechanics, Precision, pick_device
from reidcore.engine.run import Run
from reidcore.engine.sanity_checks import check_plan
from reidcore.engine.snapshot import write_snapshot
from reidcore.engine.step import (
    StepPlan,
    check_losses_were_called,
    plan_step,
)
from reidcore.errors import UserError
from reidcore.plugins import Plugins, current_plugins

if TYPE_CHECKING:
    from torch.utils.tensorboard import SummaryWriter


class Engine(Learner):
    """Trains and tests models; a subclass defines ``forward_backward`` or gives loss ``terms``.

    Args:
        datamanager: an ``ImageDataManager`` or ``VideoDataManager``, or what has such loaders.
        use_gpu: use CUDA or MPS where there is one.
        plugins: whose hooks are called; by default the current plugins.
        precision: mixed precision, memory layout and accumulation.
        step: the plugin whose replacement of the step acts, or ``core`` for none.

    Attributes:
        datamanager, train_loader, test_loader: the data.
        model, optimizer, scheduler: the first registered ones.
        reading: how batches are read: as images, or as clips if ``data_type`` is ``video``.
        terms: loss terms by name, each a weight and a criterion.
        epoch, max_epoch: the epoch under way, from 0, and where the run stops.
        averages: the last finished epoch's figures, by name.
        history: the record of each epoch that is done.
        results: the last test's results, by target.
        writer: TensorBoard's, while a run is under way.
        plan: what the run under way is to do.
    """

    def __init__(
        self,
        datamanager: Any,
        use_gpu: bool = True,
        *,
        plugins: Plugins | None = None,
        precision: Precision | None = None,
        step: str | None = None,
    ) -> None:
        configure_if_bare()
        self.device = pick_device(use_gpu)
        # Subclasses written for Torchreid call .cuda() where this is true.
        self.use_gpu = self.device.type == "cuda"
        mechanics = Mechanics(precision or Precision(), self.device)
        super().__init__(mechanics, plugins or current_plugins())
        self.datamanager = datamanager
        self.test_loader = getattr(datamanager, "test_loader", {})
        self.reading = reading_of(datamanager)
        self.epoch = 0
        self.max_epoch = 0
        self.averages: dict[str, float] = {}
        self.history: list[dict[str, Any]] = []
        self.results: dict[str, TargetResult] = {}
        self.plan = RunPlan()
        self.writer: SummaryWriter | None = None
        self.interruption = Interruption()
        self.progress: Callable[[Iterable[Any], str], Iterable[Any]] = lambda loader, _: loader
        self.step_choice = step
        self.step_plan: StepPlan | None = None
        self.under_way: Run | None = None
        self.config: Mapping[str, Any] | None = None

    @cached_property
    def train_loader(self) -> Any:
        """The training batches; asked for when training begins, since a test needs none."""
        return self.datamanager.train_loader

    def save_model(
        self, epoch: int, rank1: float | None = None, save_dir: str = "log", is_best: bool = False
    ) -> None:
        """Write a checkpoint of each model after epoch ``epoch``, counted from 0."""
        write_snapshot(self, save_dir, epoch + 1, rank1=rank1, is_best=is_best)

    def resume(self, path: str) -> int:
        """Load a checkpoint; the next ``run(start_epoch=...)`` goes on from what this returns.

        Of several models each has its own file, ``<name>.pth.tar-<epoch>``, beside this one.
        """
        paths = sibling_checkpoints(path, self.get_model_names())
        starts = [
            resume_from_checkpoint(file, model, optimizer, scheduler)
            for file, (_, model, optimizer, scheduler) in zip(paths, self.held(), strict=True)
        ]
        return starts[0]

    # -- the run -----------------------------------------------------------------------------------

    def run(
        self,
        save_dir: str = "log",
        max_epoch: int = 0,
        start_epoch: int = 0,
        print_freq: int = 10,
        fixbase_epoch: int = 0,
        open_layers: str | Sequence[str] | None = None,
        start_eval: int = 0,
        eval_freq: int = -1,
        test_only: bool = False,
        dist_metric: str = "euclidean",
        normalize_feature: bool = False,
        visrank: bool = False,
        visrank_topk: int = 10,
        use_metric_cuhk03: bool = False,
        ranks: Sequence[int] = (1, 5, 10, 20),
        rerank: bool = False,
    ) -> dict[str, Any]:
        """Train and test; ``RunPlan`` says what each argument means.

        Returns:
            What ``results.json`` holds.
        """
        plan = RunPlan(
            save_dir=save_dir,
            max_epoch=max_epoch,
            start_epoch=start_epoch,
            print_freq=print_freq,
            fixbase_epoch=fixbase_epoch,
            open_layers=as_names(open_layers),
            start_eval=start_eval,
            eval_freq=eval_freq,
            test_only=test_only,
            dist_metric=dist_metric,
            normalize_feature=normalize_feature,
            visrank=visrank,
            visrank_topk=visrank_topk,
            protocol="cuhk03" if use_metric_cuhk03 else "market1501",
            ranks=tuple(ranks),
            rerank=rerank,
        )
        return self.execute(plan)

    def execute(self, plan: RunPlan) -> dict[str, Any]:
        """Carry out a plan.

        Returns:
            What ``results.json`` holds.

        Raises:
            Interrupted: after Ctrl-C, once a checkpoint is written.
        """
        self.plan, self.max_epoch = plan, plan.max_epoch
        check_plan(self, plan)
        step = plan_step(self.plugins, self.step_choice)
        with Run(self, plan) as run:
            self.under_way = run
            run.start(step)
            if not plan.test_only:
                for self.epoch in range(plan.start_epoch, plan.max_epoch):
                    self.train(plan.print_freq, plan.fixbase_epoch, list(plan.open_layers))
                    run.save(self.epoch + 1)
                    if plan.tests_after(self.epoch + 1):
                        run.record(self.test_targets(plan))
            if plan.test_only or plan.max_epoch > 0:
                run.record(self.test_targets(plan, draw=plan.visrank))
            return run.finish()

    def train(
        self,
        print_freq: int = 10,
        fixbase_epoch: int = 0,
        open_layers: str | Sequence[str] | None = None,
    ) -> None:
        """Train for one epoch of the run under way; ``run`` calls it once for each.

        Raises:
            UserError: outside a run.
        """
        run, step = self.under_way, self.step_plan
        if run is None or step is None:
            raise UserError("no run is under way", "Call run(max_epoch=...), which trains.")
        hook = self.plugins.hook
        self.set_model_mode("train")
        self.two_stepped_transfer_learning(self.epoch, fixbase_epoch, as_names(open_layers))
        hook.reid_epoch_start(engine=self)
        for batch in run.batches():
            self.mechanics.begin_batch()
            self._seen = None
            outcome = checked_outcome(step.hook(engine=self, batch=batch), self.plugins)
            if run.is_first_step and not outcome.was_skipped and self._seen is None:
                check_losses_were_called(step, type(self).__name__)
            run.step_done(outcome)
            hook.reid_step_end(engine=self, outcome=outcome)
            self.interruption.check()
        self.mechanics.flush(self.optimizers)
        self.update_lr()
        run.epoch_done()
        hook.reid_epoch_end(engine=self)

    # -- reading batches ---------------------------------------------------------------------------

    def parse_data_for_eval(self, data: Mapping[str, Any]) -> tuple[Tensor, Any, Any]:
        """Return the images ``(B, 3, h, w)`` or clips, identities and cameras of a test batch."""
        return data["img"], data["pid"], data["camid"]

    def extract_features(self, input: Tensor) -> Tensor:
        """Return the features ``(B, D)`` of images ``(B, 3, h, w)``, or of clips, pooled."""

        def extract(images: Tensor) -> Tensor:
            answer = self.plugins.hook.reid_extract_features(model=self.model, images=images)
            return checked_features(answer, self.plugins, len(images))

        return self.reading.features(input, extract)

    # -- testing -----------------------------------------------------------------------------------

    def test(
        self,
        dist_metric: str = "euclidean",
        normalize_feature: bool = False,
        visrank: bool = False,
        visrank_topk: int = 10,
        save_dir: str = "log",
        use_metric_cuhk03: bool = False,
        ranks: Sequence[int] = (1, 5, 10, 20),
        rerank: bool = False,
    ) -> dict[str, TargetResult]:
        """Test on every target.

        Returns:
            Target name -> its result.
        """
        plan = RunPlan(
            save_dir=save_dir,
            dist_metric=dist_metric,
            normalize_feature=normalize_feature,
            visrank=visrank,
            visrank_topk=visrank_topk,
            protocol="cuhk03" if use_metric_cuhk03 else "market1501",
            ranks=tuple(ranks),
            rerank=rerank,
            test_only=True,
        )
        return self.test_targets(plan, draw=visrank)

    def test_targets(self, plan: RunPlan, draw: bool = False) -> dict[str, TargetResult]:
        """Test on every target as the plan says.

        Raises:
            UserError: if there is no target.
        """
        if not self.test_loader:
            raise UserError("there is no target to test on", "Give targets to the data manager.")
        self.set_model_mode("eval")
        self.results = {}
        for name in self.test_loader:
            self.interruption.check()
            self.results[name] = run_target(self, name, plan, draw)
        rankings = {name: result.ranking for name, result in self.results.items()}
        self.plugins.hook.reid_report(results=rankings)
        return self.results
