"""The engine: training and testing, step by step; see ``engine.py`` for the loop."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reidcore._lazy import attach
from reidcore.config.options.plan import RunPlan
from reidcore.data.loader.batch_sampler import rank_and_world
from reidcore.engine.batch_layout import ClipBatches, ImageBatches
from reidcore.engine.datamanager import EngineData
from reidcore.engine.engine import Engine
from reidcore.engine.evaluator import TargetResult, TargetTest, TestSet
from reidcore.engine.interrupts import Interrupted
from reidcore.engine.loss_terms import make_terms, weighted_terms
from reidcore.engine.precision import Precision, computes_bf16
from reidcore.engine.process_group import (
    barrier,
    broadcast_object,
    gather_differentiably,
    gather_objects,
    gather_rows,
    join_processes,
    reduce_mean,
)
from reidcore.engine.results import RunRecord
from reidcore.engine.run import Run
from reidcore.engine.shared_ranking import on_device
from reidcore.engine.stages import Stage
from reidcore.engine.step import NonFiniteLossError, StepOutcome
from reidcore.engine.train_state import TrainState

if TYPE_CHECKING:
    from reidcore.plugins.bundled import (
        ImageDMLEngine,
        ImageSoftmaxEngine,
        ImageTripletEngine,
        VideoSoftmaxEngine,
        VideoTripletEngine,
    )

__all__ = [
    "ClipBatches",
    "Engine",
    "EngineData",
    "ImageBatches",
    "ImageDMLEngine",
    "ImageSoftmaxEngine",
    "ImageTripletEngine",
    "Interrupted",
    "NonFiniteLossError",
    "Precision",
    "Run",
    "RunPlan",
    "RunRecord",
    "Stage",
    "StepOutcome",
    "TargetResult",
    "TargetTest",
    "TestSet",
    "TrainState",
    "VideoSoftmaxEngine",
    "VideoTripletEngine",
    "barrier",
    "broadcast_object",
    "computes_bf16",
    "gather_differentiably",
    "gather_objects",
    "gather_rows",
    "join_processes",
    "make_terms",
    "on_device",
    "rank_and_world",
    "reduce_mean",
    "weighted_terms",
]

__getattr__, __dir__ = attach(__name__)
