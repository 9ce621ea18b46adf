"""Bundled models: the standard architectures beside OSNet."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reidcore import hookimpl

if TYPE_CHECKING:
    from reidcore.registry import Registrar

# Name -> its module in this package, and what a listing says. Parameters are those in use at test
# time, that is without the classifier.
_MODELS = {
    "resnet18": ("resnet", "11.18M parameters, 512-dim features"),
    "resnet34": ("resnet", "21.28M parameters, 512-dim features"),
    "resnet50": ("resnet", "23.51M parameters, 2048-dim features"),
    "resnet101": ("resnet", "42.50M parameters, 2048-dim features"),
    "resnet152": ("resnet", "58.14M parameters, 2048-dim features"),
    "resnext50_32x4d": ("resnet", "22.98M parameters, 2048-dim features"),
    "resnext101_32x8d": ("resnet", "86.74M parameters, 2048-dim features"),
    "resnet50_fc512": ("resnet", "24.56M parameters, 512-dim features"),
}


@hookimpl
def reid_register_models(registry: Registrar) -> None:
    """Register every architecture by the name that Torchreid gives it."""
    for name, (module, summary) in _MODELS.items():
        registry.add(name, f"reid_plugins_zoo.{module}:{name}", summary=summary)
