"""The models of several processes, kept equal: one start, and one mean gradient at each step.

What makes it right is plain: before an optimizer steps, each gradient is replaced by its mean over
the processes. Doing so twice changes nothing, so it is done wherever there is doubt, and for steps
that were written by hand too. ``DistributedDataParallel`` (DDP) makes it fast: it averages while
the backward pass still runs. It wants to know beforehand which parameters will have gradients; the
first step, which is averaged after its backward pass, shows it.
"""

from __future__ import annotations

import inspect
import logging
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

import torch
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.parallel import DistributedDataParallel
from torch.optim import Optimizer

from reidcore.data.loader.batch_sampler import rank_and_world
from reidcore.engine.process_group import average_in_place, share_in_place
from reidcore.errors import UserError
from reidcore.models.layers import unwrap
from reidcore.optim.groups import parameters_in

if TYPE_CHECKING:
    from torch.utils.hooks import RemovableHandle

    from reidcore.engine.train_state import TrainState

_log = logging.getLogger(__name__)

# DDP's option was renamed; buffers are shared at the end of an epoch, not in each step.
_OPTIONS = inspect.signature(DistributedDataParallel).parameters
_FORWARD_BUFFERS = next(n for n in ("forward_sync_buffers", "broadcast_buffers") if n in _OPTIONS)


class Replicas:
    """An engine's models in a run of several processes; on one process it does nothing.

    Args:
        states: the engine's models by name; they may be registered later.
    """

    def __init__(self, states: Mapping[str, TrainState]) -> None:
        self._states = states
        self._replicas: list[_Replica] = []
        self._hooks: list[RemovableHandle] = []
        self._backwards = 0
        self._ends_step = self._is_averaged = False

    def start(self, optimizers: Iterable[Optimizer]) -> None:
        """Begin a run: give all processes rank 0's models, and watch the optimizers' steps."""
        if rank_and_world()[1] == 1:
            return
        self._replicas = [_Replica(name, state) for name, state in self._states.items()]
        self.share(*(state.model for state in self._states.values()))
        self._hooks = [each.register_step_pre_hook(self._before_step) for each in optimizers]

    def stop(self) -> None:
        """End a run: call the models themselves again."""
        self.trained_parameters_changed()
        for hook in self._hooks:
            hook.remove()
        self._replicas, self._hooks = [], []

    def trained_parameters_changed(self) -> None:
        """Find out anew, in the next step, which parameters have gradients."""
        for replica in self._replicas:
            replica.unwrap()

    def share(self, *modules: nn.Module) -> None:
        """Give all processes rank 0's parameters and buffers."""
        share_in_place([each for module in modules for each in module.parameters()])
        self.share_buffers(*modules)

    def share_buffers(self, *modules: nn.Module) -> None:
        """Give all processes rank 0's buffers; those of all models, if none is named."""
        chosen = modules or [replica.state.model for replica in self._replicas]
        share_in_place([each for module in chosen for each in module.buffers()])

    @contextmanager
    def batch(self, ends_step: bool) -> Iterator[None]:
        """Surround what is done with a batch.

        Args:
            ends_step: the optimizer steps after it; gradients of other batches are but added up,
                each process its own.
        """
        self._backwards, self._ends_step = 0, ends_step
        with ExitStack() as stack:
            for replica in self._replicas:
                replica.reductions = 0
                if replica.ddp is not None and not ends_step:
                    stack.enter_context(replica.ddp.no_sync())
            yield
        self._ends_step = False

    def backward_begins(self) -> None:
        """Count the backward passes of a batch: DDP averages what one of them gave."""
        self._backwards += 1

    @contextmanager
    def averaged(self, optimizers: Sequence[Optimizer]) -> Iterator[None]:
        """Let the gradients that optimizers hold be their means; they step inside of the context.

        Under mixed precision the gradients are still scaled, so that a process whose numbers
        overflowed lets all of them leave out the step.
        """
        if not self._replicas:
            yield
            return
        done = [each for each in self._replicas if each.reductions >= max(1, self._backwards)]
        _average(optimizers, except_for=set().union(*(each.held for each in done)))
        if self._ends_step:
            for replica in self._replicas:
                replica.learn_from_step()
        self._is_averaged = True
        try:
            yield
        finally:
            self._is_averaged = False

    def _before_step(self, optimizer: Optimizer, given: tuple[Any, ...], named: Any) -> None:
        """Average the gradients of a step that was not taken through the engine's verbs."""
        if self._is_averaged:
            return
        if len(given) > 1 or named:  # beside the optimizer itself
            raise UserError(
                f"{type(optimizer).__name__} was given a closure, whose gradients several "
                "processes cannot average",
                "Train on one process, or with an optimizer that steps without.",
            )
        _average([optimizer])


def with_sync_bn(model: nn.Module, device: torch.device) -> nn.Module:
    """Return a model that normalises by the statistics of all processes' images.

    Its layers become ``torch.nn.SyncBatchNorm``, with the same parameters, buffers and names. On
    one process it is as it was.

    Args:
        model: the network.
        device: where it will be trained.

    Raises:
        UserError: if torch cannot do so: elsewhere than on CUDA, or for a layer of another kind.
    """
    _, world = rank_and_world()
    if device.type != "cuda":
        instead = (
            ", and give each process more images instead"
            if world > 1
            else ": one process normalises by the whole batch without it"
        )
        raise UserError(
            f"train.sync_bn=true needs CUDA, and the run is on {device.type}: torch has no "
            "synchronised batch normalisation there",
            f"Leave it out (train.sync_bn=false){instead}.",
        )
    if world == 1:
        _log.info("train.sync_bn is without effect on one process")
        return model
    own = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d, nn.SyncBatchNorm)
    for name, layer in unwrap(model).named_modules():
        if isinstance(layer, _BatchNorm) and type(layer) not in own:
            raise UserError(
                f"the layer {name!r} is a {type(layer).__name__}, which torch.nn.SyncBatchNorm "
                "cannot stand for",
                "Leave out train.sync_bn, or choose a model with torch's own BatchNorm layers.",
            )
    converted: nn.Module = nn.SyncBatchNorm.convert_sync_batchnorm(model)  # type: ignore[no-untyped-call]
    return converted


class _Replica:
    """One model of this process.

    Args:
        name: what messages call it.
        state: whose ``network`` training calls: the model's adapter, or DDP around it.

    Attributes:
        ddp: DDP around the adapter, once it is known what to average.
        held: the ``id`` of each parameter whose gradient it averages.
        reductions: how often it averaged all of them since the batch began.
    """

    def __init__(self, name: str, state: TrainState) -> None:
        self.name = name
        self.state = state
        self.held: set[int] = set()
        self.ddp: DistributedDataParallel | None = None
        self.reductions = 0
        self._is_steady = True

    def learn_from_step(self) -> None:
        """Wrap the model once it is known what has gradients; leave a model whose steps differ.

        A DDP that waits for a gradient in vain averages none, and refuses the next step.
        """
        learning = [each for each in self.state.adapter.parameters() if each.requires_grad]
        reached = [each for each in learning if each.grad is not None]
        if not reached or not self._is_steady:
            return
        if self.ddp is None:
            self._wrap(learning)
        elif not self.reductions:
            self.unwrap()
            self._is_steady = False
            _log.info(
                "Steps differ in which parameters of model %r have gradients: they are averaged "
                "after each backward pass, not during it",
                self.name,
            )

    def unwrap(self) -> None:
        """Call the model itself, until a step shows anew which parameters have gradients."""
        self.ddp, self.held, self._is_steady = None, set(), True
        self.state.network = self.state.adapter

    def _wrap(self, learning: Sequence[nn.Parameter]) -> None:
        idle = [each for each in learning if each.grad is None]
        for parameter in idle:
            parameter.requires_grad_(False)  # DDP passes over what is frozen when it is made
        try:
            options: dict[str, Any] = {_FORWARD_BUFFERS: False}
            ddp = DistributedDataParallel(self.state.adapter, init_sync=False, **options)
        finally:
            for parameter in idle:
                parameter.requires_grad_(True)
        # DDP reads the annotations of a hook that has some.
        ddp.register_comm_hook(None, lambda _, bucket: self._reduce(bucket))
        self.held = {id(each) for each in learning} - {id(each) for each in idle}
        self.state.network = self.ddp = ddp

    def _reduce(self, bucket: Any) -> Any:
        # Absent where torch is built without torch.distributed.
        from torch.distributed.algorithms.ddp_comm_hooks.default_hooks import allreduce_hook

        self.reductions += bucket.is_last()
        return allreduce_hook(None, bucket)  # type: ignore[arg-type]  # the group that all are in


def _average(optimizers: Iterable[Optimizer], except_for: Collection[int] = ()) -> None:
    parameters = [each for each in parameters_in(optimizers) if id(each) not in except_for]
    average_in_place([each.grad for each in parameters if each.grad is not None])
