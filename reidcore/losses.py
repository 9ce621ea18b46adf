"""The losses that Torchreid's users import, each from its real home."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reidcore._lazy import attach

if TYPE_CHECKING:
    from reidcore.plugins.bundled import CrossEntropyLoss, DeepSupervision, TripletLoss

__all__ = ["CrossEntropyLoss", "DeepSupervision", "TripletLoss"]

__getattr__, __dir__ = attach(__name__)
