"""What an engine asks of a data manager."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from reidcore.errors import UserError


class EngineData(Protocol):
    """The data of a run: ``ImageDataManager``, ``VideoDataManager``, or one's own class."""

    @property
    def data_type(self) -> str:
        """``image``, or ``video`` where batches hold clips."""
        ...

    @property
    def train_loader(self) -> Any:
        """The training batches, ``{img, pid, camid, impath, dsetid}``; may raise on use."""
        ...

    @property
    def test_loader(self) -> Mapping[str, Mapping[str, Any]]:
        """Target -> ``query`` and ``gallery`` -> a loader."""
        ...

    @property
    def test_dataset(self) -> Mapping[str, Mapping[str, Any]]:
        """Target -> ``query`` and ``gallery`` -> the samples, before any is loaded; may be {}."""
        ...

    @property
    def num_train_pids(self) -> int:
        """Number of training identities."""
        ...

    @property
    def seed(self) -> int | None:
        """What the order of samples is drawn from."""
        ...

    @property
    def preprocessing(self) -> Mapping[str, Any] | None:
        """What a test image needs, for checkpoints: ``height``, ``norm_mean``, ..."""
        ...

    @property
    def skipped(self) -> Mapping[str, str]:
        """Path -> reason of each image that was left out so far."""
        ...

    def fingerprints(self) -> Any:
        """Return what identifies the data that was read, for the record; None if nothing does."""
        ...


def check_members(datamanager: Any) -> None:
    """Refuse a data manager without the attributes that an engine reads.

    Raises:
        UserError: naming those that are missing.
    """
    members = [name for name in vars(EngineData) if not name.startswith("_")]
    # Asking for the training loader may read the training set, which a test does not need.
    missing = [
        name for name in members if name != "train_loader" and not hasattr(datamanager, name)
    ]
    if missing:
        raise UserError(
            f"the data manager {type(datamanager).__name__} lacks {', '.join(missing)}",
            "Give it what reidcore.engine.EngineData lists, or subclass ImageDataManager.",
        )
