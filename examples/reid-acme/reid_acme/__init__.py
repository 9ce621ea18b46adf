"""Acme's plugin for reidcore: a dataset and a loss. The guarded step is a plugin of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reidcore import hookimpl

if TYPE_CHECKING:
    from reidcore.registry import Registrar


@hookimpl
def reid_register_datasets(registry: Registrar) -> None:
    """Register the dataset."""
    registry.add("acme", "reid_acme.warehouse:read", summary="people in a warehouse, from a table")


@hookimpl
def reid_register_losses(registry: Registrar) -> None:
    """Register the loss."""
    registry.add(
        "cross_camera",
        "reid_acme.cross_camera:CrossCamera",
        summary="draws a person's features together across cameras",
    )
