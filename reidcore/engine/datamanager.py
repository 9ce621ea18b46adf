"""What an engine asks of a data manager, and what it assumes where one says nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol, TypeVar

from reidcore.data.left_out import LeftOut
from reidcore.data.loader.batch_sampler import EpochBatches
from reidcore.data.table import SampleTable
from reidcore.errors import DataError, UserError

_T = TypeVar("_T")


class Loader(Protocol):
    """Batches ``{img, pid, camid, impath, dsetid}``; a ``torch.utils.data.DataLoader`` is one."""

    def __iter__(self) -> Iterator[Mapping[str, Any]]:
        """Yield the batches of an epoch."""
        ...

    def __len__(self) -> int:
        """Return the number of batches in an epoch."""
        ...


class EngineData(Protocol):
    """The data of a run: ``ImageDataManager``, ``VideoDataManager``, or one's own class.

    A class of one's own may say more about its data, by what `DataFacts` names.
    """

    @property
    def train_loader(self) -> Loader:
        """The training batches; may raise on use."""
        ...

    @property
    def test_loader(self) -> Mapping[str, Mapping[str, Loader]]:
        """Target -> ``query`` and ``gallery`` -> a loader."""
        ...

    @property
    def num_train_pids(self) -> int:
        """Number of training identities."""
        ...


class DataFacts:
    """What a data manager says beside its batches, with a default for each thing it does not say.

    Args:
        datamanager: asked anew each time.
    """

    def __init__(self, datamanager: EngineData) -> None:
        self._datamanager = datamanager

    @property
    def data_type(self) -> str:
        """``image``, or ``video`` where batches hold clips."""
        return self._said("data_type", "image")

    @property
    def unit(self) -> str:
        """What its samples are, for messages."""
        return "tracklets" if self.data_type == "video" else "images"

    @property
    def test_dataset(self) -> Mapping[str, Mapping[str, Any]]:
        """Set that is tested on -> ``query`` and ``gallery`` -> its samples, before any is loaded.

        Those that are held out of training for validation are among the sets.
        """
        return {**self._said("test_dataset", {}), **self._said("validation_dataset", {})}

    @property
    def validation_loader(self) -> Mapping[str, Mapping[str, Loader]]:
        """``validation`` -> ``query`` and ``gallery`` -> a loader, if samples are held out."""
        return self._said("validation_loader", {})

    @property
    def train_table(self) -> SampleTable | None:
        """The training samples, their identities numbered from 0."""
        return self._said("train_table", None)

    @property
    def seed(self) -> int | None:
        """What the order of samples is drawn from."""
        return self._said("seed", None)

    @property
    def preprocessing(self) -> Mapping[str, Any] | None:
        """What a test image needs, for checkpoints: ``height``, ``norm_mean``, ..."""
        return self._said("preprocessing", None)

    @property
    def skipped(self) -> Mapping[str, str]:
        """Path -> reason of each image that was left out so far."""
        return self._said("skipped", {})

    @property
    def left_out(self) -> Mapping[str, Sequence[LeftOut]]:
        """Dataset -> what lies there and is not used."""
        return self._said("left_out", {})

    def fingerprints(self) -> Any:
        """Return what identifies the data that was read, for the record; None if nothing does."""
        return self._said("fingerprints", lambda: None)()

    def _said(self, name: str, default: _T) -> _T:
        said: _T = getattr(self._datamanager, name, default)
        return said


def batches_of(loader: Loader) -> EpochBatches | None:
    """Return what orders one of the core's own training loaders; None of others."""
    batches = getattr(loader, "batches", None)
    return batches if isinstance(batches, EpochBatches) else None


def skipped_by(loader: Loader) -> Mapping[str, str]:
    """Return path -> reason of each image that a loader left out so far; torch's leave out none."""
    skipped: Mapping[str, str] = getattr(loader, "skipped", {})
    return skipped


def note_skipped(loader: Loader, found: Mapping[str, str]) -> None:
    """Let a loader, if it is one that leaves images out, have left these out too."""
    if isinstance(skipped := skipped_by(loader), dict):
        skipped.update(found)


def left_without_images(what: str, skipped: Mapping[str, str]) -> DataError:
    """Return the error of data that is of no use for want of images that can be read.

    Args:
        what: says what of no use is.
        skipped: path -> reason of each image that was left out.
    """
    path, reason = next(iter(skipped.items()))
    return DataError(
        f"{what}: {len(skipped)} of its images cannot be read, such as {path} ({reason})",
        "Repair them, or give the right folder; 'reidcore data check' tells more.",
    )


def check_members(datamanager: Any) -> None:
    """Refuse a data manager without the attributes that a run cannot do without.

    Raises:
        UserError: naming those that are missing.
    """
    # Asking for the training loader may read the training set, which a test does not need.
    missing = [name for name in ("test_loader", "num_train_pids") if not hasattr(datamanager, name)]
    if missing:
        raise UserError(
            f"the data manager {type(datamanager).__name__} lacks {', '.join(missing)}",
            "Give it what reidcore.engine.EngineData lists, or subclass ImageDataManager.",
        )
