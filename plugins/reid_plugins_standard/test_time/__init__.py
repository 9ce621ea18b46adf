"""Test-time options: steps on images, features and distances, composed in the order given."""

from __future__ import annotations

from reid_plugins_standard.test_time.pipeline import Pipeline, StepOptions
from reid_plugins_standard.test_time.plugin import Applied, TestTime, apply_steps
from reid_plugins_standard.test_time.setting import Setting
from reid_plugins_standard.test_time.training_features import features_of_samples

__all__ = [
    "Applied",
    "Pipeline",
    "Setting",
    "StepOptions",
    "TestTime",
    "apply_steps",
    "features_of_samples",
]
