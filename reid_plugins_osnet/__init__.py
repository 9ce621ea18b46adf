"""Bundled models and their recipes: OSNet, OSNet-IBN, OSNet-AIN and LightMBN, built on it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reidcore import hookimpl

if TYPE_CHECKING:
    from reidcore.registry import ConfigRegistrar, Registrar, WeightsRegistrar

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

_RECIPES = {
    "osnet_x1_0_market1501": "OSNet",
    "osnet_x0_75_market1501": "OSNet at three quarters of its width",
    "osnet_x0_5_market1501": "OSNet at half its width",
    "osnet_x0_25_market1501": "OSNet at a quarter of its width",
    "osnet_x1_0_market1501_cosine": "OSNet with the cosine schedule",
    "osnet_ibn_x1_0_market1501": "OSNet-IBN",
    "osnet_ain_x1_0_market1501": "OSNet-AIN",
    "lmbn_n": "LightMBN",
}


@hookimpl
def reid_register_models(registry: Registrar) -> None:
    """Register the nine published OSNets, and LightMBN."""
    for name, millions in _MODELS.items():
        registry.add(
            name,
            f"reid_plugins_osnet.osnet:{name}",
            summary=f"{millions}M parameters, 512-dim features, ImageNet weights",
        )
    registry.add(
        "lmbn_n",
        "reid_plugins_osnet.lmbn:lmbn_n",
        summary="LightMBN, 6.46M parameters, 7 x 512-dim features, OSNet's ImageNet weights",
    )


@hookimpl
def reid_register_weights(registry: WeightsRegistrar) -> None:
    """Register their ImageNet weights, and the layout of LightMBN's checkpoints."""
    registry.table("reid_plugins_osnet:weights.yaml")
    registry.layout("lightmbn", "reid_plugins_osnet.lmbn_layout:read")


@hookimpl
def reid_register_configs(registry: ConfigRegistrar) -> None:
    """Register the recipes that they were published with."""
    for name, summary in _RECIPES.items():
        registry.add(
            name, f"reid_plugins_osnet:recipes/{name}.yaml", summary=f"{summary} on Market-1501"
        )
