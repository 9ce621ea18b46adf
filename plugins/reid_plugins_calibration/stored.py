"""Where a calibration is kept: in the checkpoint that it is of, or in a file beside it."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reid_plugins_calibration.calibration import Calibration
from reidcore.errors import CheckpointError, DataError, UserError, quoted
from reidcore.utils import PathLike, atomic_write, load_checkpoint, read_json, write_json

_log = logging.getLogger(f"reidcore.{__name__}")

PLUGIN = "calibration"
"""The name of this plugin, under which checkpoints keep its part."""

_OWN, _PARTS = "reidcore", "hooks"
_DIGEST = "weights_sha256"
_CHECKPOINTS = re.compile(r"\.(pth|pt|ckpt|safetensors)(\.tar)?(-\d+)?$")


def read_calibration(path: PathLike, model: PathLike | None = None) -> Calibration | None:
    """Return the calibration of a checkpoint, an export, or a file that ``calibrate -o`` wrote.

    Args:
        path: the checkpoint, an exported model, or a file that ends in ``.json``.
        model: the checkpoint or exported model whose similarities are asked of, if it is another
            file than ``path``.

    Returns:
        The calibration; None where there is none. One that was made with other weights than those
        of the file counts as none, which is logged.

    Raises:
        UserError: if the file is missing or damaged, or holds a calibration of another version, or
            of other weights than those of ``model``.
    """
    file = Path(path).expanduser()
    found = _in_file(file) if file.suffix == ".json" else _in_model(file)
    if found is not None and model is not None:
        _require_weights(found, file, Path(model).expanduser())
    return found


def _in_file(path: Path) -> Calibration:
    if not path.is_file():
        raise UserError(f"no calibration at {str(path)!r}", "Check the path.")
    return Calibration.from_record(read_json(path))


def _in_model(path: Path) -> Calibration | None:
    """Return the calibration that a model holds; None if there is none, or one of other weights."""
    record, weights = _of_export(path) if is_export(path) else _of_checkpoint(path)
    if record is None:
        return None
    if record.get(_DIGEST) == weights:
        return Calibration.from_record(record)
    _log.warning(
        "%s: its calibration is of other weights, and is not used. Calibrate it again: "
        "reidcore calibrate",
        path,
    )
    return None


def _require_weights(calibration: Calibration, path: Path, model: Path) -> None:
    """Refuse a calibration of other weights than a model's; warn of one that does not tell."""
    own = calibration.record.get(_DIGEST)
    if own is None:
        _log.warning("%s does not say of which weights it is: is it of %s?", path, model)
    elif own != weights_of(model):
        raise DataError(
            f"the calibration in {str(path)!r} is of other weights than those of {str(model)!r}",
            _how_to_calibrate(model),
        )


def _how_to_calibrate(path: Path) -> str:
    command = f"reidcore calibrate {path} --data DATASET"
    if is_export(path):
        return f"Calibrate its checkpoint and export that again, or run: {command} -o FILE.json"
    return f"Run: {command} -o FILE.json" if _is_foreign(path) else f"Run: {command}"


def weights_of(path: Path) -> str | None:
    """Return the hash of the weights of a checkpoint or an export; None of an export of others."""
    if is_export(path):
        return _of_export(path)[1]
    from reid_plugins_export.fingerprint import weights_sha256

    return weights_sha256(path)


def is_export(path: Path) -> bool:
    """Tell an exported model from a checkpoint by its name."""
    return bool(path.suffix) and not _CHECKPOINTS.search(path.name)


def require_calibration(
    path: PathLike, model: PathLike | None = None, *, otherwise: str = ""
) -> Calibration:
    """Return the calibration of a checkpoint, which must have one; see `read_calibration`.

    Args:
        path: as of `read_calibration`.
        model: likewise.
        otherwise: what else the user can do, such as ``give --threshold``.

    Raises:
        UserError: if it has none; says how it gets one.
    """
    found = read_calibration(path, model)
    if found is None:
        raise UserError(
            f"{str(path)!r} is not calibrated, so that no similarity means the same anywhere",
            _how_to_calibrate(Path(path)) + (f", or {otherwise}" if otherwise else ""),
        )
    return found


def _of_checkpoint(path: Path) -> tuple[Mapping[str, Any] | None, str | None]:
    """Return the record that a checkpoint holds, and the hash of its weights."""
    checkpoint = load_checkpoint(path)
    own = checkpoint.get(_OWN)
    parts = own.get(_PARTS) if isinstance(own, Mapping) else None
    record = parts.get(PLUGIN) if isinstance(parts, Mapping) else None
    if not isinstance(record, Mapping) or not record:
        return None, None
    from reid_plugins_export.fingerprint import tensors_sha256

    return record, tensors_sha256(checkpoint["state_dict"])


def _of_export(path: Path) -> tuple[Mapping[str, Any] | None, str | None]:
    """Return the record that an exported model holds, and the hash of the weights it is of."""
    from reid_plugins_export.record import read_record

    held = read_record(path)
    return held.get(PLUGIN), held.get(_DIGEST)


@dataclass(frozen=True)
class Destination:
    """Where a record goes.

    Attributes:
        checkpoint: the file that is calibrated; None for features from elsewhere.
        output: the file to write: a checkpoint, or one that ends in ``.json``.
    """

    checkpoint: Path | None
    output: Path

    @classmethod
    def of(cls, checkpoint: str | None, output: str | None) -> Destination:
        """Check, before any work is done, that the record can be kept there.

        Args:
            checkpoint: the file that is calibrated; None for features from elsewhere.
            output: the file to write; None for the checkpoint itself.

        Raises:
            UserError: if the checkpoint is none that an engine of ours wrote and the output is no
                ``.json``.
        """
        source = None if checkpoint is None else Path(checkpoint).expanduser()
        if output is not None and Path(output).suffix == ".json":
            return cls(source, Path(output).expanduser())
        if source is None or _is_foreign(source):
            what = (
                f"{checkpoint!r} is no checkpoint of a run" if source else "no checkpoint is named"
            )
            raise UserError(
                f"{what}, which would have a place for a calibration",
                "Write it to a file beside it: -o FILE.json",
            )
        return cls(source, Path(output).expanduser() if output else source)

    def write(self, record: Mapping[str, Any]) -> Mapping[str, Any]:
        """Write the record, whole or not at all; of a checkpoint nothing else changes.

        Returns:
            The record as it was written: with the hash of the weights that it is of.

        Raises:
            UserError: if the file cannot be written.
        """
        if self.checkpoint is None or self.output.suffix == ".json":
            weights = None if self.checkpoint is None else weights_of(self.checkpoint)
            written = {**record, **({_DIGEST: weights} if weights else {})}
            write_json(written, self.output)
            return written
        import torch
        from reid_plugins_export.fingerprint import tensors_sha256

        checkpoint = load_checkpoint(self.checkpoint)
        own = checkpoint[_OWN]
        kept = {**record, _DIGEST: tensors_sha256(checkpoint["state_dict"])}
        # As plain as json has it: a checkpoint is read without running code.
        own[_PARTS] = {**(own.get(_PARTS) or {}), PLUGIN: json.loads(json.dumps(kept))}
        with atomic_write(self.output) as file:
            torch.save(checkpoint, file)
        return kept


def _is_foreign(path: Path) -> bool:
    """Say whether a file is no checkpoint that torch could write again as it was."""
    try:
        with path.open("rb") as file:
            is_torch = file.read(2) == b"PK"
    except OSError as error:
        raise CheckpointError(
            f"no checkpoint at {quoted(str(path))}", "Check the path; it must name a file."
        ) from error
    if is_export(path) or not is_torch:
        return True
    return not isinstance(load_checkpoint(path).get(_OWN), Mapping)
