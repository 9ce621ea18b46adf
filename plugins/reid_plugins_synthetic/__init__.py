"""The synthetic dataset: procedural people seen by six cameras, drawn on first use.

`people` says who exists; `pose`, `garments`, `heads` and `bags` how they look; `canvas` and
`figure` how that is painted; `cameras`, `backdrops`, `occluders` and `render` what a camera makes
of it; `album` which pictures there are; `make` writes them; and `dataset` reads them. `scene` films
the same people with several cameras, and `vehicles` draws vehicles.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reidcore import hookimpl

if TYPE_CHECKING:
    from reidcore.registry import Registrar


@hookimpl
def reid_register_datasets(registry: Registrar) -> None:
    """Register the synthetic dataset."""
    registry.add(
        "synthetic",
        f"{__name__}.dataset:synthetic",
        summary="procedural people by 6 cameras, drawn on first use",
    )
