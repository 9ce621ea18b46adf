"""Re-identification transformers: their models, recipes, and readings of published weights.

They need the extra ``transformers``: ``pip install "reidcore[transformers]"``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reidcore import hookimpl

if TYPE_CHECKING:
    from reidcore.registry import ConfigRegistrar, Registrar, WeightsRegistrar

# Name -> (its target in this package, what a listing says).
_MODELS: dict[str, tuple[str, str]] = {}

# Name -> what a listing says.
_RECIPES: dict[str, str] = {}


@hookimpl
def reid_register_models(registry: Registrar) -> None:
    """Register every network; timm is imported when one of them is used."""
    for name, (target, summary) in _MODELS.items():
        registry.add(name, f"{__name__}.{target}", summary=summary, needs=["transformers"])


@hookimpl
def reid_register_weights(registry: WeightsRegistrar) -> None:
    """Register the table of published weights."""
    registry.table(f"{__name__}:weights.yaml")


@hookimpl
def reid_register_configs(registry: ConfigRegistrar) -> None:
    """Register the ready recipes."""
    for name, summary in _RECIPES.items():
        registry.add(name, f"{__name__}:recipes/{name}.yaml", summary=summary)
