"""The engine: the training loop, the step's verbs, and the methods that Torchreid's users know."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from reidcore._logging import configure_if_bare
from reidcore.config.options.plan import RunPlan, as_names
from reidcore.data.loader.batch_sampler import rank_and_world
from reidcore.engine.agreement import on_main_process
from reidcore.engine.batch_layout import layout_of
from reidcore.engine.checkpoint import ResumePoint, announce, log_differences
from reidcore.engine.checkpointing import resume_models, write_checkpoints
from reidcore.engine.datamanager import DataFacts, EngineData, Loader, check_members
from reidcore.engine.evaluator import TargetResult, evaluate_target
from reidcore.engine.hook_results import (
    check_outputs,
    checked_losses,
    checked_outcome,
    checked_results,
)
from reidcore.engine.interrupts import Interruption
from reidcore.engine.loss_terms import Criterion, LossTerms, top1, undo_weights, weighted_terms
from reidcore.engine.precision import Accelerator, Precision, run_device
from reidcore.engine.process_group import check_group
from reidcore.engine.replicas import Replicas
from reidcore.engine.results import RunRecord
from reidcore.engine.run import Run
from reidcore.engine.sanity_checks import (
    check_plan,
    few_classes_explained,
    no_target,
    warn_of_other_use,
)
from reidcore.engine.stages import Stage, laid_out
from reidcore.engine.step import StepOutcome, StepTrace, check_losses_were_called, plan_step
from reidcore.engine.train_state import TrainState
from reidcore.errors import UserError, did_you_mean
from reidcore.models import Outputs, outputs_of, wanted_columns
from reidcore.models.layers import as_layer_names, freeze_others
from reidcore.models.reid_model import features_of
from reidcore.models.weights.trained import forget_training
from reidcore.models.weights.untrained import untrained_weights
from reidcore.plugins import Plugins, current_plugins

if TYPE_CHECKING:
    from torch.utils.tensorboard import SummaryWriter


_log = logging.getLogger(__name__)


class Engine:
    """Trains and tests models; a subclass defines ``forward_backward`` or gives loss ``terms``.

    Args:
        datamanager: an ``ImageDataManager`` or ``VideoDataManager``, or any `EngineData`.
        use_gpu: use CUDA or MPS where there is one.
        plugins: whose hooks are called; by default the current plugins.
        precision: mixed precision, memory layout and accumulation.
        step: the plugin whose replacement of the step acts, or ``core`` for none.

    Attributes:
        datamanager, train_loader, test_loader: the data.
        data_facts: what the data manager says beside its batches.
        states: name -> `TrainState` of each registered model.
        model, optimizer, scheduler: the first registered ones, as they were registered.
        replicas: keeps the models of several processes equal.
        terms: loss terms by name, each a weight and a criterion.
        loss_optimizers: name of a term -> the optimizer of what its criterion learns; at a run's
            start those are added that criteria make themselves.
        batch_layout: how batches are read: as images, or as clips if ``data_type`` is ``video``.
        accelerator: device, mixed precision and accumulation.
        speed: what ``train.speed`` chose, by key.
        epoch, max_epoch: the epoch under way, from 0, and where the run stops.
        plan: what the run or test under way is to do.
        stage: the stage of the run under way.
        resume_point: the checkpoint's state that the next run goes on from, if it starts there.
        active_run: the run under way; None between runs.
        record: the epochs done and the last test's results.
        trace: what the verbs did in the step under way, or in the last one.
        progress: wraps a loader of a test, given what it loads, to show how far it is.
        writer: TensorBoard's, where the writers plugin opened one for the run.
    """

    model: nn.Module
    optimizer: Optimizer | None
    scheduler: LRScheduler | None

    def __init__(
        self,
        datamanager: EngineData,
        use_gpu: bool = True,
        *,
        plugins: Plugins | None = None,
        precision: Precision | None = None,
        step: str | None = None,
    ) -> None:
        configure_if_bare()
        check_members(datamanager)
        self.datamanager = datamanager
        self.data_facts = DataFacts(datamanager)
        self.plugins = plugins or current_plugins()
        self.device = run_device(use_gpu)
        # Subclasses written for Torchreid call .cuda() where this is true.
        self.use_gpu = self.device.type == "cuda"
        self.states: dict[str, TrainState] = {}
        self.replicas = Replicas(self.states)
        self.accelerator = Accelerator(
            precision or Precision(),
            self.device,
            self._before_optimizer_step,
            self.replicas.averaged,
        )
        self.batch_layout = layout_of(self.data_facts.data_type)
        self.test_loader = datamanager.test_loader
        self.terms: LossTerms = {}
        self.loss_optimizers: dict[str, Optimizer] = {}
        self.epoch = 0
        self.max_epoch = 0
        self.plan = RunPlan()
        self.stage = Stage()
        self.record = RunRecord()
        self.config: Mapping[str, Any] | None = None
        self.speed: Mapping[str, Any] = {}
        self.writer: SummaryWriter | None = None
        self.interruption = Interruption()
        self.progress: Callable[[Iterable[Any], str], Iterable[Any]] = lambda loader, _: loader
        self.active_run: Run | None = None
        self.step_choice = step
        self.trace = StepTrace()
        self._held_back: dict[nn.Module, list[nn.Parameter]] = {}
        self.resume_point: ResumePoint | None = None

    @cached_property
    def train_loader(self) -> Loader:
        """The training batches; asked for when training begins, since a test needs none."""
        return self.datamanager.train_loader

    # -- models ------------------------------------------------------------------------------------

    def register_model(
        self,
        name: str = "model",
        model: nn.Module | None = None,
        optim: Optimizer | None = None,
        sched: LRScheduler | None = None,
    ) -> None:
        """Put a model, its optimizer and its scheduler into the engine's care.

        Raises:
            UserError: if the name is taken or the model is missing.
        """
        if not isinstance(model, nn.Module):
            raise UserError(f"model {name!r} is a {type(model).__name__}", "Give a torch module.")
        if name in self.states:
            raise UserError(f"a model is registered as {name!r} already", "Choose another name.")
        model = self.accelerator.place(model, *filter(None, [optim]))
        self.states[name] = TrainState(model, optim, sched)
        if len(self.states) == 1:
            self.model, self.optimizer, self.scheduler = model, optim, sched
        self.plugins.hook.reid_model_built(engine=self, model=model)

    def get_model_names(self, names: str | Sequence[str] | None = None) -> list[str]:
        """Return the given names, checked, or all of them.

        Raises:
            UserError: if one is not registered.
        """
        chosen = as_names(names) or tuple(self.states)
        for name in chosen:
            if name not in self.states:
                raise UserError(
                    f"no model is registered as {name!r}",
                    did_you_mean(name, self.states) or "Call register_model first.",
                )
        return list(chosen)

    def set_model_mode(self, mode: str = "train", names: str | Sequence[str] | None = None) -> None:
        """Put models into ``train`` or ``eval`` mode."""
        if mode not in ("train", "eval", "test"):
            raise UserError(f"no model mode is named {mode!r}", "Use 'train' or 'eval'.")
        for name in self.get_model_names(names):
            self.states[name].model.train(mode == "train")

    def get_current_lr(self, names: str | Sequence[str] | None = None) -> float:
        """Return the learning rate of the last parameter group, which new layers are in."""
        return self.states[self.get_model_names(names)[0]].lr

    def update_lr(self, names: str | Sequence[str] | None = None) -> None:
        """Step the schedulers; called at the end of each epoch."""
        for name in self.get_model_names(names):
            scheduler = self.states[name].scheduler
            if scheduler is not None:
                scheduler.step()

    def two_stepped_transfer_learning(
        self,
        epoch: int,
        fixbase_epoch: int,
        open_layers: Sequence[str],
        model: nn.Module | None = None,
    ) -> None:
        """Train ``open_layers`` alone in the first ``fixbase_epoch`` epochs, then the others too.

        What was frozen before stays frozen in all of them.
        """
        model = self.model if model is None else model
        self.open_again(model)
        if epoch < fixbase_epoch and open_layers:
            names = as_layer_names(open_layers)
            _log.info(
                "Training %s alone (epoch %d/%d)", " and ".join(names), epoch + 1, fixbase_epoch
            )
            self._held_back[model] = freeze_others(model, names)
            self.trained_parameters_changed()
        else:
            model.train()

    def open_again(self, model: nn.Module) -> None:
        """Let learn what `two_stepped_transfer_learning` froze of a model."""
        held_back = self._held_back.pop(model, [])
        for parameter in held_back:
            parameter.requires_grad_(True)
        if held_back:
            self.trained_parameters_changed()

    def trained_parameters_changed(self) -> None:
        """Take note, in a run of several processes, that parameters were frozen or opened.

        Who changes ``requires_grad`` during a run calls it, between two steps and in all processes.
        """
        self.replicas.trained_parameters_changed()

    @property
    def optimizers(self) -> list[Optimizer]:
        """The optimizers of all models, and of the losses that have their own."""
        of_models = [each.optimizer for each in self.states.values() if each.optimizer is not None]
        return [*of_models, *self.loss_optimizers.values()]

    @property
    def network(self) -> nn.Module:
        """What training calls of the first model, under the model contract."""
        return self._state_of(None).network

    @property
    def is_main_process(self) -> bool:
        """Whether this process writes and reports: rank 0, or the only one there is."""
        rank, _ = rank_and_world()
        return rank == 0

    # -- checkpoints -------------------------------------------------------------------------------

    def save_model(
        self, epoch: int, rank1: float | None = None, save_dir: str = "log", is_best: bool = False
    ) -> None:
        """Write a checkpoint of each model after epoch ``epoch``, counted from 0.

        Of several processes all call this, and rank 0 writes.
        """
        announce(write_checkpoints(self, save_dir, epoch + 1, rank1=rank1, is_best=is_best))

    def resume(self, path: str) -> int:
        """Load a checkpoint; the next ``run(start_epoch=...)`` goes on from what this returns.

        Of several models each has its own file, ``<name>.pth.tar-<epoch>``, beside this one.
        """
        point = self.resume_point = resume_models(path, self.states)
        if not (self.config and point.state.get("config")):
            log_differences(point.differences)  # of two configurations they are told by key
        return point

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
        **others: Any,
    ) -> dict[str, Any]:
        """Train and test; ``RunPlan`` says what each argument means, and has the ``others``.

        Returns:
            What ``results.json`` holds.
        """
        plan = RunPlan.of_torchreid(locals())
        if isinstance(start_epoch, ResumePoint):
            self.resume_point = start_epoch
        return self.execute(plan)

    def stages(self, plan: RunPlan) -> Sequence[Stage]:
        """Return the stages of a run, in order.

        The last one, of ``plan.max_epoch`` epochs, trains as configured; others add their epochs.
        """
        return [Stage(epochs=plan.max_epoch)]

    def execute(self, plan: RunPlan) -> dict[str, Any]:
        """Carry out a plan.

        Returns:
            What ``results.json`` holds.

        Raises:
            Interrupted: after Ctrl-C, once a checkpoint is written.
        """
        with self.plugins.acting():
            check_plan(self, plan)
            warn_of_other_use(self, plan)
            stages, plan = laid_out(self, plan)
        self.plan, self.epoch, self.max_epoch = plan, plan.start_epoch, plan.max_epoch
        step = plan_step(self.plugins, self.step_choice)
        with Run(self, plan, step, stages) as run, self.plugins.acting():
            run.start()
            if run.tests.begin_the_run:
                run.tests.test()
            if not plan.test_only:
                for held in self.states.values():
                    forget_training(held.model)
                for self.epoch in run.epochs():
                    self.train(plan.print_freq, plan.fixbase_epoch, list(plan.open_layers))
                    run.save(self.epoch + 1)
                    if run.tests.follow(self.epoch + 1):
                        run.tests.test()
                run.tests.test_result()
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
        run, hook = self.active_run, self.plugins.hook
        if run is None:
            raise UserError("no run is under way", "Call run(max_epoch=...), which trains.")
        self.set_model_mode("train")
        held_back = fixbase_epoch if self.stage.is_last else 0
        in_stage, layers = self.epoch - self.stage.first, as_names(open_layers)
        self.two_stepped_transfer_learning(in_stage, held_back, layers)
        hook.reid_epoch_start(engine=self)
        for batch in run.batches():
            self.accelerator.begin_batch()
            self.trace = StepTrace()
            ends_step = self.accelerator.ends_step
            with few_classes_explained(self), self.replicas.batch(ends_step):
                answer = run.step.hook(engine=self, batch=batch)
            outcome = checked_outcome(answer, self.plugins)
            if outcome.was_skipped:
                self.accelerator.leave_out_batch()
            if run.is_first_step and not (outcome.was_skipped or self.trace.losses_asked):
                check_losses_were_called(run.step, type(self).__name__)
            run.step_done(outcome)
            hook.reid_step_end(engine=self, outcome=outcome)
            self.interruption.check(waits=False)
        self.accelerator.flush(self.optimizers)
        self.replicas.share_buffers()
        figures = run.epoch_figures()  # before the next epoch's learning rate
        self.update_lr()
        run.epoch_done(figures)
        hook.reid_epoch_end(engine=self)

    # -- the step, and the verbs that it is made of ------------------------------------------------

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
        images, pids = map(self.accelerator.move, self.parse_data_for_train(batch))
        labels = {key: value for key, value in batch.items() if key not in ("img", "pid")}
        kept_clips = isinstance(batch["img"], Tensor) and len(images) == len(batch["img"])
        if not kept_clips:
            labels = self.batch_layout.per_image(batch, tuple(labels))
        return {**labels, "img": images, "pid": pids}

    def losses(self, batch: Mapping[str, Any]) -> dict[str, Tensor]:
        """Run the model on a batch and return all loss terms, those of plugins included."""
        parsed = self.parse(batch)
        return self.losses_of(parsed, self.outputs(parsed))

    def outputs(self, parsed: Mapping[str, Any], name: str | None = None) -> Outputs:
        """Run a model on a batch, as its losses need it.

        Args:
            parsed: what `parse` returned.
            name: a registered model; the first one unless it is given.
        """
        network = self._state_of(name).network
        columns = self._moved(wanted_columns(network, parsed))
        with self.accelerator.autocast():
            outputs = outputs_of(network, parsed["img"], parsed["pid"], **columns)
        check_outputs(outputs, network, len(parsed["img"]))
        return outputs

    def _state_of(self, name: str | None) -> TrainState:
        return self.states[self.get_model_names(name)[0]]

    def losses_of(self, parsed: Mapping[str, Any], outputs: Outputs) -> dict[str, Tensor]:
        """Return all loss terms of what a model gave, those of plugins included."""
        self.trace = StepTrace(outputs, parsed["pid"], True, parsed.get("impath", ()))
        with self.accelerator.autocast():
            losses = self.plugins.hook.reid_compute_losses(
                engine=self, batch=parsed, outputs=outputs
            )
        return checked_losses(losses, self.plugins)

    def backward(self, losses: Mapping[str, Tensor] | Tensor) -> None:
        """Add the gradients of the losses' sum to the weights'.

        Raises:
            NonFiniteLossError: if the sum is not finite, in this process or another; the weights
                are as they were. It is a FloatingPointError, which a wrapper may catch to skip the
                batch. On CUDA under ``train.speed=fast`` it may be the sum of an earlier batch.
        """
        total = self.accelerator.finite(losses, self.trace.images)
        self.replicas.backward_begins()
        self.accelerator.backward(total)

    def optimizer_step(self) -> bool:
        """Update the weights and clear their gradients, at accumulation boundaries alone.

        Returns:
            Whether the weights were updated.
        """
        return self.accelerator.optimizer_step(self.optimizers)

    def _before_optimizer_step(self) -> None:
        undo_weights(self.terms, self.loss_optimizers)
        self.plugins.hook.reid_before_optimizer_step(engine=self)

    def outcome(self, losses: Mapping[str, Tensor]) -> StepOutcome:
        """Return what a step with these losses reports."""
        detached = {name: value.detach() for name, value in losses.items()}
        outputs, pids = self.trace.outputs, self.trace.pids
        if outputs is None or pids is None:
            return StepOutcome(detached)
        return StepOutcome(detached, top1(outputs, pids, self.terms))

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
        return weighted_terms(self.terms, outputs, batch, self.compute_loss)

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
        data = self.batch_layout.per_image(data, ("img", "pid"))
        return data["img"], data["pid"]

    def parse_data_for_eval(self, data: Mapping[str, Any]) -> tuple[Tensor, Any, Any]:
        """Return the images ``(B, 3, h, w)`` or clips, identities and cameras of a test batch."""
        return data["img"], data["pid"], data["camid"]

    def extract_features(
        self, input: Tensor, labels: Mapping[str, Any] | None = None, name: str | None = None
    ) -> Tensor:
        """Return the features ``(B, D)`` of images ``(B, 3, h, w)``, or of clips, pooled.

        Args:
            input: the images or clips, on the engine's device.
            labels: columns of their batch by name, (B,) tensors among them, as far as known.
            name: the registered model that is asked; the first one unless it is given.
        """
        extract = partial(features_of, self.plugins, self._state_of(name).adapter)
        return self.batch_layout.features(input, self._moved(labels or {}), extract)

    def _moved(self, columns: Mapping[str, Any]) -> dict[str, Any]:
        """Return columns of a batch with their tensors on the engine's device."""
        move = self.accelerator.move
        return {
            name: move(value) if isinstance(value, Tensor) else value
            for name, value in columns.items()
        }

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
        plan = RunPlan.of_torchreid({**locals(), "test_only": True})
        check_group(self.device)
        warn_of_other_use(self, plan)
        with self.plugins.acting():
            return self.test_targets(plan)

    @property
    def is_final_test(self) -> bool:
        """Whether no epoch comes after the test under way, and it is on the targets."""
        run = self.active_run
        return self.plan.test_only or run is None or run.tests.is_final

    def test_targets(self, plan: RunPlan) -> dict[str, TargetResult]:
        """Test on every target as the plan says.

        Raises:
            UserError: if there is no target.
        """
        if not self.test_loader:
            raise no_target()
        if self.is_main_process and (weights := untrained_weights(self.model)):
            _log.warning(
                "These are figures of %s: give trained ones, model.load_weights=FILE", weights
            )
        planned, self.plan = self.plan, plan
        try:
            answer = self.plugins.hook.reid_evaluate(engine=self)
            results = checked_results(answer, self.plugins, self.test_loader)
            self.record.targets = results
            on_main_process(lambda: self._report(results))
        finally:
            self.plan = planned
        return results

    def _report(self, results: Mapping[str, TargetResult]) -> None:
        self.plugins.hook.reid_report(engine=self, results=results)

    def evaluate(self) -> dict[str, TargetResult]:
        """Test the model as it is on every target; the core's own ``reid_evaluate``.

        Several processes share the extraction; rank 0 ranks, and all have its results.
        """
        self.set_model_mode("eval")
        # Recorded as they come: where a target fails, the record has those before it.
        self.record.targets = {}
        for name in self.test_loader:
            self.interruption.check()
            self.record.targets[name] = evaluate_target(self, name)
        return self.record.targets
