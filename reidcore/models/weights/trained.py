"""What weights were trained and tested with, kept with the model that they were loaded into.

A file of weights may say how its images became pixels and how its features were compared. Whoever
uses the model otherwise is told so: other pixels, or another distance, give other results.
"""

from __future__ import annotations

import logging
import os
import shlex
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from torch import nn

from reidcore._files import PathLike
from reidcore.errors import quoted
from reidcore.models.layers import unwrap
from reidcore.plugins import current_plugins
from reidcore.plugins.discovery import looks_like_path

if TYPE_CHECKING:
    from reidcore.plugins import Plugins

_log = logging.getLogger(__name__)

_ATTRIBUTE = "_trained_with"
# What holds where a record says nothing of a key.
_UNSAID = {"resize": "pillow", "reading": "torchreid", "letterbox": None, "value_range": None}


@dataclass(frozen=True)
class TrainedWith:
    """What a file of weights says of its training.

    Attributes:
        path: the file.
        preprocessing: as `CheckpointMetadata` has it: ``height``, ``norm_mean``, ...
        test: ``dist_metric`` and ``normalize_feature``.
        chosen_on: what the best checkpoint of a run says of how it was chosen; empty of others.
        config: the configuration; empty if the engine was built by hand.
    """

    path: str
    preprocessing: Mapping[str, Any] = field(default_factory=dict)
    test: Mapping[str, Any] = field(default_factory=dict)
    chosen_on: Mapping[str, Any] = field(default_factory=dict)
    config: Mapping[str, Any] = field(default_factory=dict)

    def differences(
        self, preprocessing: Mapping[str, Any] | None, test: Mapping[str, Any] | None = None
    ) -> Iterator[str]:
        """Yield a line for each thing that is done otherwise than it was in training.

        Args:
            preprocessing: what becomes of images now; None if that is not known.
            test: how features are compared now; likewise.
        """
        for recorded, acting in ((self.preprocessing, preprocessing), (self.test, test)):
            if recorded and acting is not None:
                for key in dict.fromkeys((*recorded, *_UNSAID)):
                    unsaid = _UNSAID.get(key)
                    now, then = (_plain(each.get(key, unsaid)) for each in (acting, recorded))
                    if now != then and (key in acting or key in _UNSAID):
                        yield f"{key} is {quoted(now)}, with {self.path} it was {quoted(then)}"


def remember_training(
    model: nn.Module, path: PathLike, record: Mapping[str, Any], plugins: Plugins | None = None
) -> None:
    """Keep with a network what the record of its weights says of their training.

    Args:
        model: the network.
        path: the file of the weights.
        record: what it keeps beside them.
        plugins: those of who uses the network, by default the current ones.
    """
    warn_of_plugin_files(path, record.get("config") or {}, loaded_files(plugins))
    names = ("preprocessing", "test", "chosen_on", "config")
    parts = [record.get(name) or {} for name in names]
    unwrap(model).__dict__[_ATTRIBUTE] = TrainedWith(os.fspath(path), *parts)


def trained_with(model: nn.Module) -> TrainedWith | None:
    """Return what the file says that a network's weights are from; None if they are no file's."""
    found: TrainedWith | None = unwrap(model).__dict__.get(_ATTRIBUTE)
    return found


def forget_training(model: nn.Module) -> None:
    """Let go of it, as the network is trained further."""
    unwrap(model).__dict__.pop(_ATTRIBUTE, None)


def chosen_on(model: nn.Module) -> dict[str, Any]:
    """Return how a network's weights were chosen among those of their run; empty if unknown."""
    trained = trained_with(model)
    return dict(trained.chosen_on) if trained is not None else {}


def warn_of_other_use(
    model: nn.Module, preprocessing: Mapping[str, Any] | None, test: Mapping[str, Any] | None = None
) -> None:
    """Log a line for each thing that is done otherwise than in the training of a model's weights.

    Args:
        model: the network.
        preprocessing: what becomes of images now; None if that is not known.
        test: ``dist_metric`` and ``normalize_feature`` now; likewise.
    """
    if (trained := trained_with(model)) is not None:
        for difference in trained.differences(preprocessing, test):
            _log.warning("Other results than in training: %s", difference)


def warn_of_plugin_files(
    path: PathLike, config: Mapping[str, Any], loaded: Iterable[PathLike]
) -> None:
    """Log once for each plugin file that a checkpoint's configuration names and that is not loaded.

    Args:
        path: the checkpoint.
        config: the configuration that it records.
        loaded: plugin files that the user named; one of the same name is taken for it.
    """
    known = {Path(file).name for file in loaded}
    for file in filter(looks_like_path, config.get("plugins") or ()):
        if Path(file).name not in known:
            _warn_of_plugin_file(os.fspath(path), file)


@cache  # however often a checkpoint is read
def _warn_of_plugin_file(checkpoint: str, file: str) -> None:
    _log.warning(
        "%r was trained with the plugin file %r, which is not loaded on its word: "
        "if you trust that file, add it by -p %s",
        *(checkpoint, file, shlex.quote(file)),
    )


def loaded_files(plugins: Plugins | None = None) -> list[PathLike]:
    """Return the files of plugins that no distribution brings."""
    alone = [each for each in (plugins or current_plugins()).active if not each.distribution]
    return [file for each in alone if (file := getattr(each.obj, "__file__", None))]


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, list | tuple) else value
