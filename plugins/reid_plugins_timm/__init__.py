"""Bundled models: every backbone that timm knows, as ``timm/NAME``."""

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
