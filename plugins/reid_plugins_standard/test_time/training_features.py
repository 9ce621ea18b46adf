"""Features of a run's training images, as a test computes features."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch
from torch import Tensor

from reidcore.data import Dataset, Int64Array, SampleTable, UnreadableImageError, view_of
from reidcore.engine import Engine, rank_and_world
from reidcore.errors import DataError, UserError, counted

_log = logging.getLogger(__name__)


def training_table(engine: Engine) -> SampleTable:
    """Return the training samples of a run.

    Raises:
        UserError: if it knows none.
    """
    table = engine.data_facts.train_table
    if table is None or not len(table):
        raise UserError(
            "a test-time step learns from the training images, and this test has none",
            "Name what the model was trained on in data.sources, or leave the step out.",
        )
    return table


def train_features(engine: Engine) -> Tensor:
    """Return the features (T, D) of the training images that can be read.

    See `features_of_samples`.

    Raises:
        UserError: if the run knows no training images.
        DataError: if one cannot be read.
    """
    return features_of_samples(engine, training_table(engine))[0]


def features_of_samples(engine: Engine, table: SampleTable) -> tuple[Tensor, Int64Array]:
    """Return the features (N, D) of training samples, read as test images are, and their rows (N,).

    They are float32, on the CPU, and of length 1 under ``test.normalize_feature``: what
    ``reid_transform_features`` is given of queries and gallery. Every process computes all of them
    that calls this. Unreadable images are left out where ``data.on_bad_image=skip`` says so.

    Args:
        engine: has the model, in the mode that it is to be asked in.
        table: the samples.

    Raises:
        UserError: if it is not known how to read the images.
        DataError: if one cannot be read, or the model gives none that is finite.
    """
    batches, rows = [], []
    with torch.inference_mode():
        for batch, read in engine.progress(_batches(engine, table), "training images"):
            if rank_and_world()[1] == 1:  # rank 0 alone is here: it cannot ask the others
                engine.interruption.check()
            images = engine.accelerator.move(batch.pop("img"))
            with engine.accelerator.autocast():
                features = engine.extract_features(images, batch)
            batches.append(features.float().cpu())
            rows += read
    if not batches:
        raise DataError("none of the training images can be read", "Repair them, or data.root.")
    joined = torch.cat(batches)
    if not torch.isfinite(joined).all():
        raise DataError(
            "the model gave features of training images that are NaN or infinite",
            "Look for NaN in the weights, which a training that diverged leaves.",
        )
    if engine.plan.normalize_feature:
        joined = torch.nn.functional.normalize(joined, dim=1)
    return joined, np.array(rows, dtype=np.int64)


def _batches(engine: Engine, table: SampleTable) -> Iterator[tuple[dict[str, Any], list[int]]]:
    """Yield batches of samples, read as the first target's queries are, with their rows."""
    loader: Any = next((each["query"] for each in engine.test_loader.values()), None)
    if not isinstance(getattr(loader, "dataset", None), Dataset):
        raise UserError(
            "features of training images are wanted, and it is not known how to read "
            f"them: the queries' loader, a {type(loader).__name__}, has no reidcore.data.Dataset",
            "Test with an ImageDataManager or a VideoDataManager.",
        )
    view = view_of(loader.dataset, "train", loader.dataset.transform, data=table)
    skips = getattr(getattr(engine.datamanager, "options", None), "on_bad_image", "") == "skip"
    unreadable: list[str] = []
    size = max(1, loader.batch_size)
    for start in range(0, len(table), size):
        items = {}
        for place in range(start, min(start + size, len(table))):
            try:
                items[place] = view[place]
            except UnreadableImageError as error:
                if not skips:
                    raise
                unreadable.append(str(error))
        if items:
            yield _collated(list(items.values())), list(items)
    if unreadable:
        told = counted(len(unreadable), "training image")
        _log.warning("%s left out, unreadable, such as: %s", told, unreadable[0])


def _collated(items: list[dict[str, Any]]) -> dict[str, Any]:
    """Return a batch: tensors of images and numbers, lists of all else."""
    as_batch: dict[type, Callable[[list[Any]], Any]] = {Tensor: torch.stack, int: torch.tensor}
    columns = {name: [item[name] for item in items] for name in items[0]}
    return {name: as_batch.get(type(each[0]), list)(each) for name, each in columns.items()}
