"""Features of a run's training images, as a test computes features."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor

from reidcore.data import Dataset, SampleTable, UnreadableImageError, view_of
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
    """Return the features (T, D) of the training images, read as test images are.

    They are float32, on the CPU, and of length 1 under ``test.normalize_feature``: what
    ``reid_transform_features`` is given of queries and gallery. Every process computes all of them
    that calls this.

    Raises:
        UserError: if the run knows no training images.
        DataError: if one cannot be read.
    """
    table = training_table(engine)
    batches = []
    with torch.inference_mode():
        for batch in engine.progress(_batches(engine, table), "training images"):
            if rank_and_world()[1] == 1:  # rank 0 alone is here: it cannot ask the others
                engine.interruption.check()
            images = engine.accelerator.move(batch.pop("img"))
            with engine.accelerator.autocast():
                features = engine.extract_features(images, batch)
            batches.append(features.float().cpu())
    if not batches:
        raise DataError("none of the training images can be read", "Repair them, or data.root.")
    joined = torch.cat(batches)
    if not torch.isfinite(joined).all():
        raise DataError(
            "the model gave features of training images that are NaN or infinite",
            "Look for NaN in the weights, which a training that diverged leaves.",
        )
    return torch.nn.functional.normalize(joined, dim=1) if engine.plan.normalize_feature else joined


def _batches(engine: Engine, table: SampleTable) -> Iterator[dict[str, Any]]:
    """Yield batches of the training samples, read as the first target's queries are.

    Unreadable ones are left out where ``data.on_bad_image=skip`` says so.
    """
    loader: Any = next(iter(engine.test_loader.values()))["query"]
    if not isinstance(getattr(loader, "dataset", None), Dataset):
        raise UserError(
            "a test-time step learns from the training images, and it is not known how to read "
            f"them: the queries' loader, a {type(loader).__name__}, has no reidcore.data.Dataset",
            "Test with an ImageDataManager or a VideoDataManager.",
        )
    view = view_of(loader.dataset, "train", loader.dataset.transform, data=table)
    skips = getattr(getattr(engine.datamanager, "options", None), "on_bad_image", "") == "skip"
    unreadable: list[str] = []
    size = max(1, loader.batch_size)
    for start in range(0, len(table), size):
        items = []
        for place in range(start, min(start + size, len(table))):
            try:
                items.append(view[place])
            except UnreadableImageError as error:
                if not skips:
                    raise
                unreadable.append(str(error))
        if items:
            yield _collated(items)
    if unreadable:
        told = counted(len(unreadable), "training image")
        _log.warning("%s left out, unreadable, such as: %s", told, unreadable[0])


def _collated(items: list[dict[str, Any]]) -> dict[str, Any]:
    """Return a batch: tensors of images and numbers, lists of all else."""
    as_batch: dict[type, Callable[[list[Any]], Any]] = {Tensor: torch.stack, int: torch.tensor}
    columns = {name: [item[name] for item in items] for name in items[0]}
    return {name: as_batch.get(type(each[0]), list)(each) for name, each in columns.items()}
