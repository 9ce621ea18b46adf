"""Weights from a file into a model, as far as names and sizes agree."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from torch import Tensor, nn

from reidcore.errors import CheckpointError
from reidcore.files import PathLike
from reidcore.log import configure_if_bare
from reidcore.models.wrapping import bare_key, unwrap
from reidcore.serialization import load_safely

_log = logging.getLogger(__name__)

# Under which key published checkpoints keep the state dict, if they keep more than that.
_STATE_KEYS = ("state_dict", "model_state_dict", "model")


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
    configure_if_bare()
    network = unwrap(model)
    found = state_dict_in(load_safely(weight_path), weight_path)
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


def state_dict_in(checkpoint: Any, source: PathLike) -> dict[str, Tensor]:
    """Return the tensors of a checkpoint or a bare state dict, under their bare keys.

    Raises:
        CheckpointError: if there are none.
    """
    held = checkpoint
    for key in _STATE_KEYS:
        if isinstance(checkpoint, Mapping) and isinstance(checkpoint.get(key), Mapping):
            held = checkpoint[key]
            break
    tensors = (
        {bare_key(str(key)): value for key, value in held.items() if isinstance(value, Tensor)}
        if isinstance(held, Mapping)
        else {}
    )
    if not tensors:
        raise CheckpointError(
            f"{os.fspath(source)!r} holds no model weights",
            "Give a state dict, or a checkpoint with one under 'state_dict'.",
        )
    return tensors


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
