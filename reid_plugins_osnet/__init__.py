"""Bundled models: OSNet, OSNet-IBN and OSNet-AIN."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reidcore import hookimpl

if TYPE_CHECKING:
    from reidcore.registry import Registrar, WeightsRegistrar

# Name -> millions of parameters at test time, that is without the classifier.
_MODELS = {
    "osnet_x1_0": "2.19",
    "osnet_x0_75": "1.30",
    "osnet_x0_5": "0.64",
    "osnet_x0_25": "0.20",
    "osnet_ibn_x1_0": "2.19",
    "osnet_ain_x1_0": "2.19",
    "osnet_ain_x0_75": "1.30",
    "osnet_ain_x0_5": "0.64",
    "osnet_ain_x0_25": "0.20",
}


@hookimpl
def reid_register_models(registry: Registrar) -> None:
    """Register the nine published OSNets."""
    for name, millions in _MODELS.items():
        registry.add(
            name,
            f"reid_plugins_osnet.osnet:{name}",
            summary=f"{millions}M parameters, 512-dim features, ImageNet weights",
        )


@hookimpl
def reid_register_weights(registry: WeightsRegistrar) -> None:
    """Register their ImageNet weights."""
    registry.table("reid_plugins_osnet:weights.yaml")
