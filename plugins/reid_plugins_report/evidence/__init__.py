"""What a report needs of a test and cannot be had later, gathered at the test."""

from __future__ import annotations

from reid_plugins_report.evidence.parts import (
    Attention,
    Cameras,
    Curves,
    Embeddings,
    LookAlikes,
    Queries,
    Rankings,
    Slices,
    Spread,
)
from reid_plugins_report.evidence.store import Evidence, read_evidence, write_evidence

__all__ = [
    "Attention",
    "Cameras",
    "Curves",
    "Embeddings",
    "Evidence",
    "LookAlikes",
    "Queries",
    "Rankings",
    "Slices",
    "Spread",
    "read_evidence",
    "write_evidence",
]
