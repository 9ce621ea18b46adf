"""The road of an export: load, convert, compare, record, write."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reid_plugins_export.calibration_images import calibration_images
from reid_plugins_export.checkpoint import Source, load_source
from reid_plugins_export.dataset import Dataset, DatasetChoice, read_dataset
from reid_plugins_export.fingerprint import weights_sha256
from reid_plugins_export.formats import Format, can_write, format_named
from reid_plugins_export.network import FeatureNetwork, width_of
from reid_plugins_export.parity import Parity, check_parity, measure_parity
from reid_plugins_export.record import (
    UNCHECKED,
    VERSION,
    checksum_file,
    checksums,
    given_by_plugins,
)
from reid_plugins_export.retrieval_check import (
    ALLOWED_LOSS,
    RetrievalCheck,
    check_retrieval,
    require_no_loss,
)
from reidcore.errors import UserError
from reidcore.inference import FeatureExtractor
from reidcore.plugins import Plugins, current_plugins
from reidcore.utils import PathLike, check_writable, mkdir_if_missing, partial_folder


@dataclass(frozen=True)
class Options:
    """What is asked of an export.

    Attributes:
        to: the format's name.
        preprocess: what is folded in: ``none``, ``mean_std`` or ``full``.
        normalise: give features of unit length.
        size: height and width of the images; by default the checkpoint's.
        model_name: where the checkpoint does not tell it.
        int8: the dataset to quantise with; None for 32 bits.
        check: the dataset on which mAP is compared; by default that of ``int8``, if any.
        allowed_loss: points of mAP that the interval of the difference may reach below zero.
    """

    to: str = "onnx"
    preprocess: str = "none"
    normalise: bool = False
    size: tuple[int, int] | None = None
    model_name: str = ""
    int8: DatasetChoice | None = None
    check: DatasetChoice | None = None
    allowed_loss: float = ALLOWED_LOSS

    @property
    def precision(self) -> str:
        """In which the file computes."""
        return "fp32" if self.int8 is None else "int8"


@dataclass(frozen=True)
class Exported:
    """A file that was written.

    Attributes:
        path: the file.
        record: what it says of itself.
        parity: how near its features are to PyTorch's.
        check: how it does on a dataset; None if it was not checked.
    """

    path: Path
    record: Mapping[str, Any]
    parity: Parity
    check: RetrievalCheck | None = None


def export_model(
    checkpoint: PathLike,
    path: PathLike,
    options: Options,
    plugins: Plugins | None = None,
) -> Exported:
    """Export the model of a checkpoint, if the file gives the features that PyTorch gives.

    Args:
        checkpoint: the file.
        path: the file to write, with the format's ending.
        options: what is asked.
        plugins: where models and formats are looked up; the current ones by default.

    Raises:
        CheckpointError: if the checkpoint cannot be read.
        UserError: if the model or the format cannot be had, the model cannot be converted, or its
            features differ; nothing is written then.
    """
    plugins = plugins or current_plugins()
    target = Path(path)
    form = format_named(options.to, plugins)
    _check_form(form, options.to, target)
    check_writable(target.parent, "another file: -o FILE")
    source = load_source(checkpoint, options.model_name, options.size, options.normalise, plugins)
    network = _network(source, options)
    record = make_record(source, network, options, plugins)
    quantised_with, checked_on = _datasets(source, options, plugins)
    images = calibration_images(quantised_with, source, network) if quantised_with else None
    save = form.convert(network, images)
    check = None
    mkdir_if_missing(target.parent)
    with _writing(target) as folder:
        partial = folder / target.name
        save(partial, record)
        parity = measure_parity(network, form.open(partial, "cpu", options.precision, None))
        check_parity(parity, options.precision, network.takes == "bytes")
        record["parity"] = parity.as_dict()
        if checked_on:
            check = _checked(source, partial, checked_on, options, plugins)
            require_no_loss(check)
            record["check"] = check.as_dict()
        save(partial, record)
        _publish(folder, target)
    return Exported(target, record, parity, check)


def make_record(
    source: Source, network: FeatureNetwork, options: Options, plugins: Plugins
) -> dict[str, Any]:
    """Return what an exported file says of itself.

    Raises:
        PluginDefectError: if a plugin gives a key that is there already.
    """
    record: dict[str, Any] = {
        "version": VERSION,
        "model": {**source.metadata.model, "name": source.name},
        "preprocessing": dict(source.preprocessing),
        "preprocess": network.preprocess,
        "normalise": network.normalise,
        "feature_dim": width_of(network),
        "test": dict(source.metadata.test),
        "weights_sha256": weights_sha256(source.path),
        "precision": options.precision,
        "check": UNCHECKED,
        "source": {"file": source.path.name},
    }
    return record | given_by_plugins(source.metadata, plugins, taken=record)


def _check_form(form: Format, name: str, target: Path) -> None:
    if not can_write(form):
        raise UserError(
            f"{name} runs files of others and writes none",
            f"Export to a format whose files end in {form.ending}, and run it by backend={name!r}.",
        )
    if target.suffix.lower() != form.ending:
        raise UserError(
            f"{str(target)!r} does not end in {form.ending}, as {name} files do", "Add the ending."
        )


def _network(source: Source, options: Options) -> FeatureNetwork:
    """Return the model with what is folded in.

    Raises:
        UserError: if its images are resized in a way that no graph here has.
    """
    images = source.preprocessing
    if options.preprocess == "full" and (images.get("letterbox") or "bicubic" in images["resize"]):
        raise UserError(
            "preprocess='full' stretches images bilinearly, and the model's are "
            + ("letterboxed" if images.get("letterbox") else "resized bicubically"),
            "Use preprocess='mean_std', and resize before it as in training.",
        )
    mean, std = images["norm_mean"], images["norm_std"]
    return FeatureNetwork(
        source.model, source.size, mean, std, options.preprocess, options.normalise
    )


def _datasets(
    source: Source, options: Options, plugins: Plugins
) -> tuple[Dataset | None, Dataset | None]:
    """Return what the file is quantised with and what it is checked on, which may be the same."""
    config = source.metadata.config
    quantised_with = read_dataset(options.int8, config, plugins) if options.int8 else None
    if options.check is None or options.check == options.int8:
        return quantised_with, quantised_with
    return quantised_with, read_dataset(options.check, config, plugins)


def _checked(
    source: Source,
    file: Path,
    dataset: Dataset,
    options: Options,
    plugins: Plugins,
) -> RetrievalCheck:
    reference = source.extractor
    exported = FeatureExtractor(
        model_path=file,
        image_size=options.size,
        device="cpu",
        verbose=False,
        plugins=plugins,
        normalize=reference.normalize,
    )
    return check_retrieval(dataset, reference, exported, source.metric, options.allowed_loss)


@contextmanager
def _writing(target: Path) -> Iterator[Path]:
    """Yield a temporary folder beside a file, and tell what stands against writing there."""
    try:
        with partial_folder(target) as folder:
            yield folder
    except OSError as error:
        raise UserError(
            f"{str(target)!r} cannot be written: {error.strerror or error}",
            "Make room, or give another file: -o FILE.",
        ) from error


def _publish(folder: Path, target: Path) -> None:
    """Move what was written to its place, with its hash; the file itself comes last but that."""
    written = sorted(folder.iterdir(), key=lambda file: file.name == target.name)
    hashes = checksums([folder / target.name, *written[:-1]])
    checksum_file(target).unlink(missing_ok=True)
    for file in written:
        os.replace(file, target.with_name(file.name))  # noqa: PTH105 - over an older file
    checksum_file(folder / target.name).write_text(hashes, "utf-8")
    checksum_file(folder / target.name).replace(checksum_file(target))
