"""Opening exported files for running."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from reid_plugins_export.cached import exported_once
from reid_plugins_export.export import Options
from reid_plugins_export.formats import Format, can_write, format_named, format_of, writer_of
from reid_plugins_export.record import check_checksum, check_there
from reidcore.errors import CheckpointError, UserError
from reidcore.plugins import Plugins
from reidcore.utils import PathLike

if TYPE_CHECKING:
    from reidcore.inference import Backend

TORCH = "torch"
"""The name of what runs checkpoints; it is no format."""


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
        UserError: if there is no such format, its package is not installed, or it has not what is
            asked.
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
    return form.open(file, device, precision, threads)


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
