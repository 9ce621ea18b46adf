"""The engines under Torchreid's names for video: how clips are read is the core's business."""

from __future__ import annotations

from typing import Any

from torch import nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from reid_plugins_engines.softmax import SoftmaxEngine
from reid_plugins_engines.triplet import TripletEngine
from reidcore.engine import ClipBatches, EngineData


class VideoSoftmaxEngine(SoftmaxEngine):
    """The softmax engine, with a choice of how the features of a clip's frames are pooled.

    Args:
        datamanager: a ``VideoDataManager``; one of images serves as well.
        model: the network, which sees single frames.
        optimizer: over its parameters.
        scheduler: stepped after each epoch.
        use_gpu: use CUDA or MPS where there is one.
        label_smooth: smooth the targets.
        pooling_method: ``avg`` or ``max``.
        core: the other arguments of ``SoftmaxEngine``, such as ``precision``.

    Attributes:
        pooling_method: as given; ``batch_layout`` holds to it.

    Raises:
        UnknownNameError: if no pooling method has that name.
    """

    def __init__(
        self,
        datamanager: EngineData,
        model: nn.Module,
        optimizer: Optimizer | None = None,
        scheduler: LRScheduler | None = None,
        use_gpu: bool = True,
        label_smooth: bool = True,
        pooling_method: str = "avg",
        **core: Any,
    ) -> None:
        layout = ClipBatches(pooling_method)
        super().__init__(datamanager, model, optimizer, scheduler, use_gpu, label_smooth, **core)
        self.batch_layout = layout
        self.pooling_method = pooling_method


class VideoTripletEngine(TripletEngine):
    """The triplet engine, with a choice of how the features of a clip's frames are pooled.

    In training each frame counts as an image of its own: those of one tracklet are positives of
    each other.

    Args:
        datamanager: a ``VideoDataManager``; one of images serves as well.
        model: the network, which sees single frames.
        optimizer: over its parameters.
        margin: of the triplet loss; None is 0.3.
        weight_t: weight of the triplet loss.
        weight_x: weight of the cross entropy.
        scheduler: stepped after each epoch.
        use_gpu: use CUDA or MPS where there is one.
        label_smooth: smooth the targets of the cross entropy.
        pooling_method: ``avg`` or ``max``.
        core: the other arguments of ``TripletEngine``, such as ``precision``.

    Attributes:
        pooling_method: as given; ``batch_layout`` holds to it.

    Raises:
        UnknownNameError: if no pooling method has that name.
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
        pooling_method: str = "avg",
        **core: Any,
    ) -> None:
        layout = ClipBatches(pooling_method)
        super().__init__(
            datamanager,
            model,
            optimizer,
            margin,
            weight_t,
            weight_x,
            scheduler,
            use_gpu,
            label_smooth,
            **core,
        )
        self.batch_layout = layout
        self.pooling_method = pooling_method
