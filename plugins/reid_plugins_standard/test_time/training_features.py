"""Features of a run's training images, as a test computes features."""

from __future__ import annotations

import logging
from typing import Any

import numpy as np
import torch
from torch import Tensor

from reidcore.data import (
    Dataset,
    Int64Array,
    Loading,
    SampleTable,
    loader_for_testing,
    view_of,
)
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
    loader = _loader(engine, table)
    engine.accelerator.receive(loader)
    batches: list[Tensor] = []
    paths: list[Any] = []
    with torch.inference_mode():
        for batch in engine.progress(loader, "training images"):
            if rank_and_world()[1] == 1:  # rank 0 alone is here: it cannot ask the others
                engine.interruption.check()
            images = engine.accelerator.move(batch["img"])
            labels = {name: column for name, column in batch.items() if name != "img"}
            with engine.accelerator.autocast():
                features = engine.extract_features(images, labels)
            batches.append(features.float().cpu())
            paths += batch["impath"]
    if loader.skipped:
        told = counted(len(loader.skipped), "training image")
        reason = next(iter(loader.skipped.values()))
        _log.warning("%s left out, unreadable, such as: %s", told, reason)
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
    rows = enumerate(table.paths)  # those read are in the same order
    read = [next(row for row, known in rows if known == path) for path in paths]
    return joined, np.array(read, dtype=np.int64)


def _loader(engine: Engine, table: SampleTable) -> Any:
    """Return the loader of training samples as the first target's queries, in this process alone.

    Raises:
        UserError: if the run's data does not say how images are read.
    """
    known: Any = next((each["query"] for each in engine.test_loader.values()), None)
    datamanager: Any = engine.datamanager
    dataset = getattr(known, "dataset", None)
    if not isinstance(dataset, Dataset) or not hasattr(datamanager, "options"):
        raise UserError(
            "features of training images are wanted, and it is not known how to read "
            f"them: the queries' loader, a {type(known).__name__}, has no reidcore.data.Dataset",
            "Test with an ImageDataManager or a VideoDataManager.",
        )
    view = view_of(dataset, "train", dataset.transform, data=table)
    loading = Loading(datamanager.options, seed=datamanager.seed, pin_memory=datamanager.use_gpu)
    return loader_for_testing(view, known.batch_size, loading)
