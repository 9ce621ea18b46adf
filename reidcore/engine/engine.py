"""The engine: the training loop on one screen, and the methods that Torchreid's users override."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from reidcore.engine.checkpoint import resume_from_checkpoint
from reidcore.engine.clips import Reading, reading_of
from reidcore.engine.holder import ModelHolder
from reidcore.engine.interrupts import Interruption
from reidcore.engine.mechanics import Mechanics, Precision, pick_device
from reidcore.engine.plan import RunPlan, as_names
from reidcore.engine.preflight import check_plan
from reidcore.engine.run import Run
from reidcore.engine.snapshot import write_snapshot
from reidcore.engine.step import (
    NonFiniteLossError,
    StepOutcome,
    StepPlan,
    check_losses_were_called,
    plan_step,
)
from reidcore.engine.terms import Criterion, LossTerms, top1, weighted
from reidcore.engine.tester import TargetResult, run_target
from reidcore.errors import UserError
from reidcore.log import configure_if_bare
from reidcore.models import outputs_of
from reidcore.plugins import Plugins, current_plugins

if TYPE_CHECKING:
    from torch.utils.tensorboard import SummaryWriter

    from reidcore.models import Outputs


class Engine(ModelHolder):
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
        self.use_gpu = self.device.type != "cpu"
        super().__init__(Mechanics(precision or Precision(), self.device))
        self.datamanager = datamanager
        self.test_loader = getattr(datamanager, "test_loader", {})
        self.reading: Reading = reading_of(datamanager)
        self.plugins = plugins or current_plugins()
        self.terms: LossTerms = {}
        self.epoch = 0
        self.max_epoch = 0
        self.averages: dict[str, float] = {}
        self.plan = RunPlan()
        self.writer: SummaryWriter | None = None
        self.interruption = Interruption()
        self.progress: Callable[[Iterable[Any], str], Iterable[Any]] = lambda loader, _: loader
        self.step_choice = step
        self.step_plan: StepPlan | None = None
        self.config: Mapping[str, Any] | None = None
        self._seen: tuple[Outputs, Tensor] | None = None

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
        """Load a checkpoint; the next ``run(start_epoch=...)`` goes on from what this returns."""
        return resume_from_checkpoint(path, self.model, self.optimizer, self.scheduler)

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
            run.start(step)
            if not plan.test_only:
                for self.epoch in range(plan.start_epoch, plan.max_epoch):
                    self.train_epoch(run, step)
                    run.save(self.epoch + 1)
                    if plan.tests_after(self.epoch + 1):
                        run.record(self.test_targets(plan))
            if plan.test_only or plan.max_epoch > 0:
                run.record(self.test_targets(plan, draw=plan.visrank))
            return run.finish()

    def train_epoch(self, run: Run, step: StepPlan) -> None:
        """Train for one epoch."""
        hook = self.plugins.hook
        self.set_model_mode("train")
        self.two_stepped_transfer_learning(
            self.epoch, self.plan.fixbase_epoch, list(self.plan.open_layers)
        )
        hook.reid_epoch_start(engine=self)
        for batch in run.batches():
            self.mechanics.begin_batch()
            self._seen = None
            outcome: StepOutcome = step.hook(engine=self, batch=batch)
            if run.is_first_step and not outcome.was_skipped and self._seen is None:
                check_losses_were_called(step, type(self).__name__)
            run.step_done(outcome)
            hook.reid_step_end(engine=self, outcome=outcome)
            self.interruption.check()
        self.mechanics.flush(self.optimizers)
        self.update_lr()
        run.epoch_done()
        hook.reid_epoch_end(engine=self)

    # -- the step, which a plugin or a subclass replaces, and its verbs ----------------------------

    def forward_backward(self, data: Mapping[str, Any]) -> StepOutcome | Mapping[str, Any]:
        """Take one training step; a subclass may override it.

        Returns:
            An outcome or, as in Torchreid, a dictionary of numbers to show.
        """
        losses = self.losses(data)
        self.backward(losses)
        self.optimizer_step()
        return self.outcome(losses)

    def parse(self, batch: Mapping[str, Any]) -> dict[str, Any]:
        """Return a batch with ``img (B, 3, h, w)`` and ``pid (B,)`` on the engine's device.

        Where clips became images, each of these has the labels of its clip.
        """
        images, pids = map(self.mechanics.move, self.parse_data_for_train(batch))
        as_it_is = len(images) == len(batch["img"])
        labels = batch if as_it_is else self.reading.per_image(batch)
        return {**labels, "img": images, "pid": pids}

    def losses(self, batch: Mapping[str, Any]) -> dict[str, Tensor]:
        """Run the model on a batch and return all loss terms, those of plugins included."""
        parsed = self.parse(batch)
        with self.mechanics.autocast():
            outputs = outputs_of(self.model, parsed["img"], parsed["pid"])
            self._seen = outputs, parsed["pid"]
            losses: dict[str, Tensor] = self.plugins.hook.reid_compute_losses(
                engine=self, batch=parsed, outputs=outputs
            )
        return losses

    def backward(self, losses: Mapping[str, Tensor] | Tensor) -> None:
        """Add the gradients of the losses' sum to the weights'.

        Raises:
            NonFiniteLossError: if the sum is not finite; the weights are as they were. It is a
                FloatingPointError, which a wrapper may catch to skip the batch.
        """
        total = losses if isinstance(losses, Tensor) else torch.stack(list(losses.values())).sum()
        if not torch.isfinite(total):
            raise NonFiniteLossError(losses)
        self.mechanics.backward(total)

    def optimizer_step(self) -> bool:
        """Update the weights and clear their gradients, at accumulation boundaries alone.

        Returns:
            Whether the weights were updated.
        """
        return self.mechanics.optimizer_step(self.optimizers)

    def outcome(self, losses: Mapping[str, Tensor]) -> StepOutcome:
        """Return what a step with these losses reports."""
        detached = {name: value.detach() for name, value in losses.items()}
        return StepOutcome(detached, top1(*self._seen, self.terms) if self._seen else None)

    def compute_terms(self, batch: Mapping[str, Any], outputs: Outputs) -> dict[str, Tensor]:
        """Return the engine's own weighted loss terms.

        Raises:
            UserError: if the engine has none.
        """
        if not self.terms:
            raise UserError(
                f"{type(self).__name__} has no loss terms",
                "Set engine.terms, or override forward_backward.",
            )
        return weighted(self.terms, outputs, batch, self.compute_loss)

    def compute_loss(
        self, criterion: Criterion, outputs: Tensor | Sequence[Tensor], targets: Tensor
    ) -> Tensor:
        """Apply a criterion to an output, or to several of them and average."""
        if isinstance(outputs, Tensor):
            return criterion(outputs, targets)
        return torch.stack([criterion(output, targets) for output in outputs]).mean()

    # -- reading batches ---------------------------------------------------------------------------

    def parse_data_for_train(self, data: Mapping[str, Any]) -> tuple[Tensor, Tensor]:
        """Return the images ``(B, 3, h, w)`` and identities ``(B,)`` of a training batch."""
        data = self.reading.per_image(data)
        return data["img"], data["pid"]

    def parse_data_for_eval(self, data: Mapping[str, Any]) -> tuple[Tensor, Any, Any]:
        """Return the images ``(B, 3, h, w)`` or clips, identities and cameras of a test batch."""
        return data["img"], data["pid"], data["camid"]

    def extract_features(self, input: Tensor) -> Tensor:
        """Return the features ``(B, D)`` of images ``(B, 3, h, w)``, or of clips, pooled."""
        hook = self.plugins.hook.reid_extract_features
        return self.reading.features(input, lambda images: hook(model=self.model, images=images))

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
        results = {name: run_target(self, name, plan, draw) for name in self.test_loader}
        rankings = {name: result.ranking for name, result in results.items()}
        self.plugins.hook.reid_report(results=rankings)
        return results
