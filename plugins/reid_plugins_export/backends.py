"""Opening exported files for running."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from reid_plugins_export.cache import exported_once
from reid_plugins_export.export import Options
from reid_plugins_export.formats import (
    Format,
    can_write,
    format_named,
    format_of,
    required_format,
    writer_of,
)
from reid_plugins_export.record import check_checksum, check_there
from reidcore.errors import CheckpointError, UserError
from reidcore.inference import check_closeness, probe_images
from reidcore.plugins import Plugins
from reidcore.utils import PathLike

if TYPE_CHECKING:
    from reidcore.inference import Backend

_log = logging.getLogger(f"reidcore.{__name__}")

TORCH = "torch"
"""The name of what runs checkpoints; it is no format."""

_HALVES = ("bf16", "fp16")
_PROBES = 4  # images on which fewer bits are compared
_USUAL_SIZE = (256, 128)
_MEAN, _DEVIATION = 0.45, 0.22  # of photographs, in 0..1


def open_backend(
    name: str | None,
    path: PathLike,
    *,
    device: str = "cpu",
    precision: str = "fp32",
    threads: int | None = None,
    plugins: Plugins | None = None,
    model_name: str = "",
    image_size: tuple[int, int] | None = None,
) -> Backend | None:
    """Open an exported model for running; None if the file is a checkpoint, which PyTorch runs.

    Args:
        name: a format's, which runs the file, for which a checkpoint is exported first, once; None
            goes by the file's ending.
        path: the file.
        device: ``cpu``, ``cuda`` or ``cuda:1``.
        precision: ``fp32``, ``bf16``, ``fp16`` or ``int8``, of what the format has.
        threads: of the CPU; by default as many as the format's runtime likes.
        plugins: where formats are looked up; the current ones by default.
        model_name: of a checkpoint that does not tell it.
        image_size: height and width for a checkpoint; by default its own.

    Raises:
        CheckpointError: if the file is missing, damaged, or not what was exported.
        UserError: if there is no such format, its package is not installed, it has not what is
            asked, or the features are no longer those of fp32.
    """
    file = Path(path).expanduser()
    by_ending = format_of(file, plugins)
    if name == TORCH or (name is None and by_ending is None):
        return None
    form = by_ending if name is None else format_named(name, plugins)
    assert form is not None
    check_there(file)
    if file.suffix.lower() != form.ending:
        _check_exportable(
            file, str(name), form, is_export=by_ending is not None, precision=precision
        )
        writer = str(name) if can_write(form) else writer_of(form.ending, plugins)
        options = Options(writer, size=image_size, model_name=model_name)
        file = exported_once(file, options, form.ending, plugins)
    if check_checksum(file) is False:
        raise CheckpointError(
            f"{str(file)!r} is not what was exported: its sha256 is another than beside it",
            "Copy it again, or export the model again.",
        )
    opened = form.open(file, device, precision, threads)
    _check_bits(opened, precision, file)
    if precision in _HALVES:
        exact = required_format(file, plugins).open(file, "cpu", "fp32", threads)
        images = _probe(opened)
        check_closeness(opened(images), exact(images), precision)
    return opened


def _check_exportable(
    file: Path, name: str, form: Format, *, is_export: bool, precision: str
) -> None:
    """Refuse what cannot be exported on the way: a file of another format, and INT8."""
    if is_export:
        raise UserError(
            f"{str(file)!r} is no file for backend={name!r}, whose files end in {form.ending}",
            "Leave backend out, or give the checkpoint.",
        )
    if precision == "int8":
        raise UserError(
            f"{str(file)!r} is no INT8 file, and quantising it needs images",
            f"Run: reidcore export {file} --to {name} --int8 DATASET",
        )


def _check_bits(backend: Backend, precision: str, file: Path) -> None:
    """Refuse a file that was quantised in other bits, and one that was not in 8.

    Raises:
        UserError: saying which file to give.
    """
    held = backend.record.get("precision")
    if precision == "int8" and held is None:
        _log.warning("%r does not say whether it is quantised: it is run as it is", str(file))
    elif precision == "int8" and held != "int8":
        raise UserError(
            f"{str(file)!r} computes in {held}, and quantising it needs images",
            "Leave precision out, or run: reidcore export CHECKPOINT --int8 DATASET",
        )
    elif precision in _HALVES and held == "int8":
        raise UserError(
            f"{str(file)!r} is quantised, and precision={precision!r}",
            "Leave precision out, or give a file that was exported without --int8.",
        )


def _probe(backend: Backend) -> Tensor:
    """Return some images as a file takes them, (B, 3, height, width)."""
    own = backend.record.get("preprocessing")
    recorded = (own["height"], own["width"]) if own else _USUAL_SIZE
    height, width = backend.image_size or recorded
    normalised = probe_images(_PROBES, height, width)
    if backend.takes == "normalised":
        return normalised
    in_range = (_MEAN + _DEVIATION * normalised).clamp(0, 1)
    return in_range if backend.takes == "unit_range" else (255 * in_range).to(torch.uint8)
