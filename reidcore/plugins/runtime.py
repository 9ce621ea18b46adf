"""The plugin named "this process": datasets that a script registers while it runs.

It is part of every set of plugins, so that a script written for Torchreid works: its
``register_image_dataset("mine", Mine)`` makes ``mine`` a name like any other.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from reidcore import hookimpl
from reidcore.errors import UserError

if TYPE_CHECKING:
    from reidcore.registry import Registrar


class ThisProcess:
    """Datasets by name, given to whatever registry asks."""

    def __init__(self) -> None:
        self._datasets: dict[str, Callable[..., Any]] = {}

    def add_dataset(self, name: str, dataset: Callable[..., Any]) -> None:
        """Keep a dataset for the rest of this process.

        Raises:
            UserError: The name was registered before.
        """
        from reidcore import registry

        if name in self._datasets:
            raise UserError(
                f"a dataset named {name!r} was registered before", "Choose another name"
            )
        self._datasets[name] = dataset
        registry.invalidate()

    def remove_dataset(self, name: str) -> None:
        """Forget a dataset, as tests do."""
        from reidcore import registry

        del self._datasets[name]
        registry.invalidate()

    @hookimpl
    def reid_register_datasets(self, registry: Registrar) -> None:
        """Register what was kept."""
        for name, dataset in self._datasets.items():
            registry.add(name, dataset, summary="registered by the running program")


PLUGIN = ThisProcess()


def register_image_dataset(name: str, dataset: Callable[..., Any]) -> None:
    """Make a dataset known by a name, for as long as this process runs.

    A name that an installed plugin has too is ambiguous: write ``this process/NAME`` then.

    Args:
        name: What ``sources`` and ``targets`` will call it.
        dataset: A subclass of `ImageDataset`, or any callable that takes the root folder and
            returns `Splits`.

    Raises:
        UserError: The name was registered before.

    Example:
        >>> register_image_dataset("new_dataset", NewDataset)
        >>> ImageDataManager(root="reid-data", sources=["new_dataset", "market1501"])
    """
    PLUGIN.add_dataset(name, dataset)


def register_video_dataset(name: str, dataset: Callable[..., Any]) -> None:
    """Make a dataset of tracklets known by a name, for as long as this process runs.

    Image and video datasets share their names.

    Args:
        name: What ``sources`` and ``targets`` will call it.
        dataset: A subclass of `VideoDataset`, or any callable that takes the root folder and
            returns `Splits` whose paths are tuples of frames.

    Raises:
        UserError: The name was registered before.

    Example:
        >>> register_video_dataset("new_dataset", NewDataset)
        >>> VideoDataManager(root="reid-data", sources="new_dataset")
    """
    PLUGIN.add_dataset(name, dataset)
