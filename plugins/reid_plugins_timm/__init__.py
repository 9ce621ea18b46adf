"""Every backbone and every optimizer that timm knows, as ``timm/NAME``, and recipes on them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reidcore import hookimpl

if TYPE_CHECKING:
    from reidcore.registry import ConfigRegistrar, Registrar

# Name -> what a listing says.
_RECIPES = {
    "csl_tinyvit_7m": "TinyViT with stripes of three granularities on Market-1501",
    "layumi_dinov3": "DINOv3's ViT-B/16 under circle loss on Market-1501",
}


@hookimpl
def reid_register_models(registry: Registrar) -> None:
    """Register timm's names as a family; timm is imported when one of them is used."""
    registry.add_family(
        "timm",
        "reid_plugins_timm.names:factory_of",
        members="reid_plugins_timm.names:members",
        summary="any model of the timm library; to list them: reidcore ls models timm/",
        needs=["timm"],
    )


@hookimpl
def reid_register_optimizers(registry: Registrar) -> None:
    """Register timm's optimizers as a family."""
    registry.add_family(
        "timm",
        "reid_plugins_timm.optimizers:factory_of",
        members="reid_plugins_timm.optimizers:members",
        summary="any optimizer of the timm library; to list them: reidcore ls optimizers timm/",
        needs=["timm"],
    )


@hookimpl
def reid_register_configs(registry: ConfigRegistrar) -> None:
    """Register the ready recipes."""
    for name, summary in _RECIPES.items():
        registry.add(name, f"{__name__}:recipes/{name}.yaml", summary=summary)
