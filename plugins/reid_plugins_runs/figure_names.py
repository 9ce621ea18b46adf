"""Figures by name: which are shares of 1 that are shown in percent, and what they are called."""

from __future__ import annotations

import re

__all__ = ["heading", "is_share"]

FIGURES = ("mAP", "rank1", "rank5", "rank10")
"""Those that a table shows unless others are asked for."""

_RANK = re.compile(r"rank([1-9]\d*)")


def is_share(figure: str) -> bool:
    """Say whether a figure is one of the core's: a share in [0, 1], the larger the better."""
    return figure in ("mAP", "mINP") or _RANK.fullmatch(figure) is not None


def heading(figure: str) -> str:
    """Return how a figure is called in a heading: ``rank1`` is ``Rank-1``."""
    found = _RANK.fullmatch(figure)
    return f"Rank-{found[1]}" if found else figure
