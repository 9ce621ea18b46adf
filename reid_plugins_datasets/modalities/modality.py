"""The kind of camera that took a picture, kept as the column ``modality``."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from reidcore.data import SampleTable

COLUMN = "modality"

VISIBLE, INFRARED, THERMAL = "visible", "infrared", "thermal"


def with_modality(table: SampleTable, modality: str) -> SampleTable:
    """Return a table, all of whose pictures are of one kind, with the column `COLUMN`."""
    # All kinds in one type of text, so that tables can be joined.
    column = np.full(len(table), modality, dtype="<U8")
    return replace(table, columns={**table.columns, COLUMN: column})
