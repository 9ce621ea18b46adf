"""What a component of each kind must do, as checks: for tests, and ``reidcore plugins check``."""

from reid_plugins_scaffold.conformance.base import Conformance
from reid_plugins_scaffold.conformance.checking import ConformanceCheck, Outcome, checks
from reid_plugins_scaffold.conformance.commands import CommandConformance
from reid_plugins_scaffold.conformance.contract import BrokenContractError
from reid_plugins_scaffold.conformance.datasets import DatasetConformance
from reid_plugins_scaffold.conformance.engines import EngineConformance
from reid_plugins_scaffold.conformance.heads import ClassifierConformance, PoolingConformance
from reid_plugins_scaffold.conformance.losses import LossConformance
from reid_plugins_scaffold.conformance.models import ModelConformance
from reid_plugins_scaffold.conformance.optim import OptimizerConformance, SchedulerConformance
from reid_plugins_scaffold.conformance.protocols import ProtocolConformance
from reid_plugins_scaffold.conformance.recipes import RecipeConformance, WeightsConformance
from reid_plugins_scaffold.conformance.samplers import SamplerConformance
from reid_plugins_scaffold.conformance.transforms import TransformConformance

__all__ = [
    "BrokenContractError",
    "ClassifierConformance",
    "CommandConformance",
    "Conformance",
    "ConformanceCheck",
    "DatasetConformance",
    "EngineConformance",
    "LossConformance",
    "ModelConformance",
    "OptimizerConformance",
    "Outcome",
    "PoolingConformance",
    "ProtocolConformance",
    "RecipeConformance",
    "SamplerConformance",
    "SchedulerConformance",
    "TransformConformance",
    "WeightsConformance",
    "checks",
]
