"""Which identities the classes of a classifier stand for, in a form that a checkpoint can keep."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from reidcore.data import SampleTable
    from reidcore.engine import Engine


def first_images(table: SampleTable) -> list[str]:
    """Return the file name of each identity's first image, in the order of the identities.

    Args:
        table: samples of C identities; of a tracklet it is the first frame.

    Returns:
        C names, which are the same wherever the dataset lies.
    """
    _, firsts = np.unique(table.pids, return_index=True)
    paths = [table.paths[row] for row in firsts.tolist()]
    return [Path(path if isinstance(path, str) else path[0]).name for path in paths]


def class_list(engine: Engine) -> str:
    """Return a SHA-256 of the training identities in the order of their classes.

    Args:
        engine: the engine.

    Returns:
        The sum in hexadecimal digits; empty where the samples are not known.
    """
    table = engine.data_facts.train_table
    if table is None or not len(table):
        return ""
    return hashlib.sha256("\n".join(first_images(table)).encode()).hexdigest()
