"""The engine: training and testing, step by step; see ``engine.py`` for the loop."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reidcore._lazy import attach
from reidcore.plugins import bundled

if TYPE_CHECKING:
    from reid_plugins_engines.softmax import ImageSoftmaxEngine as ImageSoftmaxEngine
    from reid_plugins_engines.triplet import ImageTripletEngine as ImageTripletEngine
    from reid_plugins_engines.video import VideoSoftmaxEngine as VideoSoftmaxEngine
    from reid_plugins_engines.video import VideoTripletEngine as VideoTripletEngine

    from reidcore.config.options.plan import RunPlan as RunPlan
    from reidcore.engine.datamanager import EngineData as EngineData
    from reidcore.engine.engine import Engine as Engine
    from reidcore.engine.engine import TrainState as TrainState
    from reidcore.engine.evaluator import TargetResult as TargetResult
    from reidcore.engine.evaluator import TargetTest as TargetTest
    from reidcore.engine.evaluator import TestSet as TestSet
    from reidcore.engine.interrupts import Interrupted as Interrupted
    from reidcore.engine.precision import Precision as Precision
    from reidcore.engine.step import NonFiniteLossError as NonFiniteLossError
    from reidcore.engine.step import StepOutcome as StepOutcome

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "Engine": "reidcore.engine.engine:Engine",
        "EngineData": "reidcore.engine.datamanager:EngineData",
        "Interrupted": "reidcore.engine.interrupts:Interrupted",
        "NonFiniteLossError": "reidcore.engine.step:NonFiniteLossError",
        "Precision": "reidcore.engine.precision:Precision",
        "RunPlan": "reidcore.config.options.plan:RunPlan",
        "StepOutcome": "reidcore.engine.step:StepOutcome",
        "TargetResult": "reidcore.engine.evaluator:TargetResult",
        "TargetTest": "reidcore.engine.evaluator:TargetTest",
        "TestSet": "reidcore.engine.evaluator:TestSet",
        "TrainState": "reidcore.engine.engine:TrainState",
        **bundled.ENGINES,
    },
)
