"""The losses that Torchreid's users import, each from its real home."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reidcore._lazy import attach
from reidcore.plugins import bundled

if TYPE_CHECKING:
    from reid_plugins_engines.losses import CrossEntropyLoss as CrossEntropyLoss
    from reid_plugins_engines.losses import DeepSupervision as DeepSupervision
    from reid_plugins_engines.losses import TripletLoss as TripletLoss

__getattr__, __dir__, __all__ = attach(__name__, bundled.LOSSES)
