"""The sections of a configuration, which are the options of what is built from it. No torch."""

from reidcore.config.options.base import OpenOptions, Options
from reidcore.config.options.data import DataOptions, LoadingOptions, VideoOptions
from reidcore.config.options.model import HeadOptions, ModelOptions
from reidcore.config.options.optim import OptimOptions
from reidcore.config.options.plan import RunPlan
from reidcore.config.options.sampler import SamplingOptions
from reidcore.config.options.test import ScoringOptions, TestOptions
from reidcore.config.options.train import EpochOptions, LossOptions, TrainOptions

__all__ = [
    "DataOptions",
    "EpochOptions",
    "HeadOptions",
    "LoadingOptions",
    "LossOptions",
    "ModelOptions",
    "OpenOptions",
    "OptimOptions",
    "Options",
    "RunPlan",
    "SamplingOptions",
    "ScoringOptions",
    "TestOptions",
    "TrainOptions",
    "VideoOptions",
]
