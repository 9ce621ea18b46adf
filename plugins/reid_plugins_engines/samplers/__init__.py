"""The orders in which training images are seen."""

from __future__ import annotations

from reid_plugins_engines.samplers.balanced import BalancedDomainSampler
from reid_plugins_engines.samplers.camera import CameraIdentitySampler
from reid_plugins_engines.samplers.domain import RandomDatasetSampler, RandomDomainSampler
from reid_plugins_engines.samplers.hard import HardIdentitySampler
from reid_plugins_engines.samplers.identity import RandomIdentitySampler
from reid_plugins_engines.samplers.plain import RandomSampler, SequentialSampler

__all__ = [
    "BalancedDomainSampler",
    "CameraIdentitySampler",
    "HardIdentitySampler",
    "RandomDatasetSampler",
    "RandomDomainSampler",
    "RandomIdentitySampler",
    "RandomSampler",
    "SequentialSampler",
]
