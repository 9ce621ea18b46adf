"""Weights for others: safetensors files that say what they are weights of."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from reid_plugins_export.record import given_by_plugins
from reidcore.errors import CheckpointError, UserError
from reidcore.inference import read_metadata
from reidcore.models import build_args_of, read_weights, record_of, unwrap
from reidcore.plugins import current_plugins
from reidcore.utils import PathLike, load_checkpoint, save_safetensors

# What of a checkpoint's record concerns the model, and not the training.
_KEPT = ("version", "epoch", "config", "model", "preprocessing", "test", "plugins")


def save_weights(
    model: nn.Module, path: PathLike, metadata: Mapping[str, Any] | None = None
) -> None:
    """Write a model's weights as safetensors, with what is needed to build it again.

    Args:
        model: the network, wrapped or not.
        path: the file, ending in ``.safetensors``.
        metadata: further plain values, such as ``preprocessing`` (``height``, ``width``,
            ``norm_mean``, ``norm_std``, ``interpolation``) and ``test`` (``dist_metric``).

    Raises:
        UserError: if the file cannot be written, its name ends otherwise, or the package
            safetensors is not installed.
    """
    record = {"model": build_args_of(model), **(metadata or {})}
    _write(unwrap(model).state_dict(), path, record)


def export_weights(checkpoint: PathLike, path: PathLike) -> int:
    """Write the weights of a checkpoint as safetensors, with what it says about its model.

    Of what plugins keep in the checkpoint goes along what they give to exports, such as a
    calibration.

    Args:
        checkpoint: a checkpoint of ours, or another file of weights, which then says nothing.
        path: the file, ending in ``.safetensors``.

    Returns:
        How many tensors there are.

    Raises:
        CheckpointError: if the checkpoint cannot be read.
        UserError: as for ``save_weights``.
    """
    _check_name(path)
    tensors = read_weights(checkpoint).tensors
    own = record_of(load_checkpoint(checkpoint), checkpoint)
    record = {key: own[key] for key in _KEPT if key in own}
    given = given_by_plugins(read_metadata(checkpoint), current_plugins())
    if hooks := {key: value for key, value in given.items() if key in (own.get("hooks") or {})}:
        record["hooks"] = hooks  # where the plugins that gave it look for it, as in a checkpoint
    _write(tensors, path, record)
    return len(tensors)


def _write(tensors: Mapping[str, Tensor], path: PathLike, record: Mapping[str, Any]) -> None:
    _check_name(path)
    try:
        save_safetensors(tensors, path, record)
    except (TypeError, ValueError) as error:
        raise CheckpointError(
            f"the record for {str(path)!r} cannot be written ({error})",
            "Give plain values: numbers, text, lists and mappings.",
        ) from error


def _check_name(path: PathLike) -> None:
    if Path(path).suffix != ".safetensors":
        raise UserError(f"{str(path)!r} does not end in .safetensors", "Add the ending.")
