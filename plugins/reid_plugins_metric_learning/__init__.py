"""Every loss of pytorch-metric-learning, with its miners and distances, below the prefix `pml`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reidcore import hookimpl

if TYPE_CHECKING:
    from reidcore.registry import Registrar


@hookimpl
def reid_register_losses(registry: Registrar) -> None:
    """Register the library's losses as a family; it is imported when one of them is used."""
    registry.add_family(
        "pml",
        "reid_plugins_metric_learning.names:factory_of",
        members="reid_plugins_metric_learning.names:members",
        summary="any loss of pytorch-metric-learning; to list them: reidcore ls losses pml/",
        needs=["metric-learning"],
    )
