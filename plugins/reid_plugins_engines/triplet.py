"""The triplet engine: metric learning, with identity classification beside it."""

from __future__ import annotations

from torch import nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from reid_plugins_engines.losses import CrossEntropyLoss, TripletLoss
from reid_plugins_engines.losses.triplet import weigh
from reidcore.engine import Engine, EngineData, Precision
from reidcore.plugins import Plugins


class TripletEngine(Engine):
    """Trains a model by the batch-hard triplet loss and the cross entropy, weighted.

    A term of weight 0 is left out. Its batches hold several images of several identities:
    ``train_sampler="RandomIdentitySampler"``.

    Args:
        datamanager: has ``num_train_pids`` and the loaders.
        model: the network, built for ``loss="triplet"`` where it is not the core's.
        optimizer: over its parameters.
        margin: of the triplet loss; None is 0.3.
        weight_t: weight of the triplet loss.
        weight_x: weight of the cross entropy.
        scheduler: stepped after each epoch.
        use_gpu: use CUDA or MPS where there is one.
        label_smooth: smooth the targets of the cross entropy.
        plugins: whose hooks are called; by default the current plugins.
        precision: mixed precision, memory layout and accumulation.
        step: the plugin whose replacement of the step acts, or ``core`` for none.

    Attributes:
        criterion_t, criterion_x: the two losses, for a subclass with a step of its own.
        weight_t, weight_x: their weights.

    Raises:
        ConfigError: if a weight is negative, or both are 0.
    """

    def __init__(
        self,
        datamanager: EngineData,
        model: nn.Module,
        optimizer: Optimizer | None = None,
        margin: float | None = None,
        weight_t: float = 1,
        weight_x: float = 1,
        scheduler: LRScheduler | None = None,
        use_gpu: bool = True,
        label_smooth: bool = True,
        *,
        plugins: Plugins | None = None,
        precision: Precision | None = None,
        step: str | None = None,
    ) -> None:
        super().__init__(datamanager, use_gpu, plugins=plugins, precision=precision, step=step)
        self.register_model("model", model, optimizer, scheduler)
        self.weight_t, self.weight_x = weight_t, weight_x
        self.criterion_t = TripletLoss(margin)
        self.criterion_x = CrossEntropyLoss(datamanager.num_train_pids, label_smooth=label_smooth)
        self.terms = weigh(self.criterion_t, self.criterion_x, weight_t, weight_x)


class ImageTripletEngine(TripletEngine):
    """The triplet engine under Torchreid's name for images."""
