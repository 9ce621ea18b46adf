"""Bundled datasets: benchmarks, anyone's own folders, and the synthetic dataset."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reidcore import hookimpl

if TYPE_CHECKING:
    from reidcore.registry import Registrar


@hookimpl
def reid_register_datasets(registry: Registrar) -> None:
    """Register the bundled datasets."""
    registry.add(
        "synthetic",
        "reid_plugins_datasets.synthetic:synthetic",
        summary="procedural people by 6 cameras, drawn on first use",
    )
    registry.add(
        "market1501",
        "reid_plugins_datasets.market1501:market1501",
        summary="Market-1501, 1501 people by 6 cameras; optional 500k distractors",
        options={"market1501_500k": "use_500k_distractors"},
    )
    registry.add(
        "folder",
        "reid_plugins_datasets.folder:folder",
        summary="your own train, query and gallery folders, by a pattern",
    )
    registry.add(
        "cuhk03",
        "reid_plugins_datasets.cuhk03:cuhk03",
        summary="CUHK03, detected or labeled boxes, new or classic protocol",
        needs=("mat",),
        options={
            "cuhk03_labeled": "labeled_images",
            "cuhk03_classic_split": "classic_split",
        },
    )
