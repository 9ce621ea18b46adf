"""The softmax engine: identity classification."""

from __future__ import annotations

from torch import nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from reid_plugins_engines.losses import CrossEntropyLoss
from reidcore.engine import Engine, EngineData, Precision
from reidcore.plugins import Plugins


class SoftmaxEngine(Engine):
    """Trains a model to classify identities.

    Args:
        datamanager: has ``num_train_pids`` and the loaders.
        model: the network.
        optimizer: over its parameters.
        scheduler: stepped after each epoch.
        use_gpu: use CUDA or MPS where there is one.
        label_smooth: smooth the targets.
        plugins: whose hooks are called; by default the current plugins.
        precision: mixed precision, memory layout and accumulation.
        step: the plugin whose replacement of the step acts, or ``core`` for none.

    Attributes:
        criterion: the loss, for a subclass with a step of its own.
    """

    def __init__(
        self,
        datamanager: EngineData,
        model: nn.Module,
        optimizer: Optimizer | None = None,
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
        self.criterion = CrossEntropyLoss(datamanager.num_train_pids, label_smooth=label_smooth)
        self.terms = {"softmax": (1.0, self.criterion)}


class ImageSoftmaxEngine(SoftmaxEngine):
    """The softmax engine under Torchreid's name for images."""
