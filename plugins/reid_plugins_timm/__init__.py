"""Every backbone and every optimizer that timm knows, as ``timm/NAME``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reidcore import hookimpl

if TYPE_CHECKING:
    from reidcore.registry import Registrar


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
