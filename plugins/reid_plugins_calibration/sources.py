"""The images of a dataset, with their labels, and their features by the model of a checkpoint."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from reid_plugins_calibration.images import Codes, Items, make_items
from reidcore.data import SampleTable, leave_out
from reidcore.errors import DataError, UserError, counted

if TYPE_CHECKING:
    from reid_plugins_export.dataset import Tables

    from reidcore.inference import FeatureExtractor

_log = logging.getLogger(f"reidcore.{__name__}")

Advance = Callable[[int], None]

_TRACKS = ("track", "tracks", "tracklet", "track_id", "tracklet_id")
_SEQUENCES = ("sequence", "sequences", "video", "seq")


@dataclass(frozen=True, eq=False)
class Labelled:
    """N images and their labels.

    Attributes:
        name: what they are called in messages.
        table: their paths and labels.
        searched: identities whose images match one another.
    """

    name: str
    table: SampleTable
    searched: Codes

    @property
    def camera_names(self) -> dict[int, str]:
        """What their cameras are called."""
        return {int(camid): self.table.names.camid(camid) for camid in np.unique(self.table.camids)}

    def items(
        self,
        features: npt.NDArray[np.floating],
        rows: Sequence[int],
        across: bool | None = None,
        seed: int = 0,
    ) -> Items:
        """Return the images at ``rows`` with their features; see `make_items`."""
        table = self.table.take(np.asarray(rows, np.int64))
        return make_items(
            features,
            table.pids,
            table.camids,
            tracks=tracks_of(table.columns, table.pids, table.camids),
            searched=self.searched,
            across=across,
            names=list(table.paths.files()),
            seed=seed,
        )


def labelled_images(tables: Tables, split: str) -> Labelled:
    """Return the images of a part of a dataset, with their labels.

    Args:
        tables: the dataset's.
        split: ``query``, ``gallery``, ``train``, or ``test`` for query and gallery together.

    Raises:
        DataError: if the dataset holds tracklets, or nothing of the split.
    """
    parts = {
        "train": [tables.train],
        "query": [tables.query],
        "gallery": [tables.gallery],
        "test": [tables.query, tables.gallery],
    }[split]
    name = f"the {split} images of {tables.name}"
    table = SampleTable.joined(parts).identified(name).distinct()
    if not len(table):
        raise DataError(f"{tables.name} has no {split} images", "Choose another --split.")
    if split == "train":
        _log.warning(
            "The images of %s were perhaps learnt from: on such, models tell identities apart "
            "better than elsewhere, and thresholds are too low for others",
            tables.name,
        )
    if table.paths.has_tracklets:
        raise DataError(
            f"{tables.name} has tracklets, and a calibration compares single images",
            "Give a dataset of images whose table has a column track, or features of tracklets "
            "in a file: --features FILE.",
        )
    searched = tables.train.pids if split == "train" else tables.query.pids
    return Labelled(name, table, np.unique(searched))


def extract(
    extractor: FeatureExtractor, labelled: Labelled, advance: Advance
) -> tuple[npt.NDArray[np.float32], list[int]]:
    """Return features (N, D) and the rows of the images that could be read.

    Raises:
        DataError: if none can be read.
    """
    paths = list(labelled.table.paths.files())
    features, rows, bad = [], [], []

    def note(place: int, error: UserError) -> None:
        bad.append(paths[place])
        advance(1)

    for batch in extractor.batches(paths, on_bad=note):
        features.append(batch.features.float().cpu().numpy())
        rows += batch.places
        advance(len(batch.places))
    leave_out(bad, "images", "unreadable", total=len(paths))
    if not features:
        raise DataError(
            f"of {counted(len(paths), 'image')} none can be read", "See the lines above."
        )
    return np.concatenate(features), rows


def tracks_of(columns: Mapping[str, npt.NDArray[Any]], pids: Codes, camids: Codes) -> Codes | None:
    """Return numbers that tell tracks apart; None where no column tells them.

    A track's number may come again in another sequence, in another camera, and of another identity.
    """
    track = next((columns[name] for name in _TRACKS if name in columns), None)
    if track is None:
        return None
    parts = [track, pids, camids, *(columns[name] for name in _SEQUENCES if name in columns)]
    numbered = [np.unique(part, return_inverse=True)[1].reshape(-1) for part in parts]
    found: Codes = np.unique(np.stack(numbered), axis=1, return_inverse=True)[1].reshape(-1)
    return found
