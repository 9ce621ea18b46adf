"""Weights from a file into a model, as far as names and sizes agree."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Sequence
from typing import NamedTuple

from torch import nn

from reidcore.errors import CheckpointError
from reidcore.files import PathLike
from reidcore.log import configure_if_bare
from reidcore.models.weights.reading import read_weights
from reidcore.models.wrapping import bare_key, unwrap

_log = logging.getLogger(__name__)


class LoadedWeights(NamedTuple):
    """What became of a weights file.

    Attributes:
        loaded: entries of the model that the file filled.
        discarded: entries of the file that the model lacks or has in another size.
        untouched: entries of the model that the file did not fill.
    """

    loaded: list[str]
    discarded: list[str]
    untouched: list[str]


def load_pretrained_weights(model: nn.Module, weight_path: PathLike) -> LoadedWeights:
    """Fill a model from a checkpoint or a bare state dict, leaving out what does not fit.

    Prefixes that DataParallel, DDP or ``torch.compile`` put before the keys make no difference, on
    either side. A classifier for other identities is left out, as any layer of another size.

    Args:
        model: the network, wrapped or not; changed in place.
        weight_path: a file written by ``torch.save``: a state dict, or a dict that holds one under
            ``state_dict``.

    Returns:
        The entries that were loaded, discarded and untouched.

    Raises:
        CheckpointError: if the file cannot be loaded safely, holds no state dict, or nothing in it
            fits the model; the model is then as it was.
    """
    return load_state(model, weight_path)


def load_state(
    model: nn.Module, weight_path: PathLike, keys: Callable[[str], str | None] = str
) -> LoadedWeights:
    """Do what ``load_pretrained_weights`` does, with keys renamed by a function.

    Args:
        model: the network, wrapped or not; changed in place.
        weight_path: the file.
        keys: turns a key of the file into the model's, or into None where it has no such entry.
    """
    configure_if_bare()
    network = unwrap(model)
    found = {keys(key) or key: value for key, value in read_weights(weight_path).items()}
    wanted = network.state_dict()
    # A network may itself have a child named "module": then its own keys lose that prefix as well.
    own_key = {bare_key(key): key for key in wanted}
    fitting = {
        own_key[key]: value
        for key, value in found.items()
        if key in own_key and wanted[own_key[key]].shape == value.shape
    }
    if not fitting:
        raise CheckpointError(
            f"nothing in {os.fspath(weight_path)!r} fits {type(network).__name__}: the file holds "
            f"{_listed(list(found), 3)}; the model wants {_listed(list(wanted), 3)}",
            "Build the model that these weights belong to.",
        )
    network.load_state_dict(fitting, strict=False)
    report = LoadedWeights(
        loaded=list(fitting),
        discarded=[key for key in found if own_key.get(key) not in fitting],
        untouched=[key for key in wanted if key not in fitting],
    )
    _tell(report, weight_path)
    return report


def _tell(report: LoadedWeights, weight_path: PathLike) -> None:
    path = os.fspath(weight_path)
    total = len(report.loaded) + len(report.untouched)
    _log.info("Loaded %d of the model's %d entries from %r", len(report.loaded), total, path)
    if report.discarded:
        _log.info("Discarded, for their name or size: %s", _listed(report.discarded, 12))
    missing = [key for key in report.untouched if bare_key(key) not in report.discarded]
    if missing:
        _log.warning("Not in the file and left as they were: %s", _listed(missing, 12))


def _listed(keys: Sequence[str], most: int) -> str:
    shown = ", ".join(keys[:most])
    return shown if len(keys) <= most else f"{shown} and {len(keys) - most} more"
