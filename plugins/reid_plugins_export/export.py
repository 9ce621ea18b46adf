"""The road of an export: load, convert, compare, record, write."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reid_plugins_export.fingerprint import weights_sha256
from reid_plugins_export.formats import Format, Save, format_named
from reid_plugins_export.network import FeatureNetwork, width_of
from reid_plugins_export.parity import Parity, check_parity, measure_parity
from reid_plugins_export.record import UNCHECKED, VERSION, checksum_file, checksums
from reid_plugins_export.source import Source, load_source
from reidcore.errors import PluginDefectError, UserError
from reidcore.plugins import Plugins, current_plugins
from reidcore.utils import PathLike, partial_folder


@dataclass(frozen=True)
class Options:
    """What is asked of an export.

    Attributes:
        to: the format's name.
        preprocess: what is folded in: ``none``, ``mean_std`` or ``full``.
        normalise: give features of unit length.
        size: height and width of the images; by default the checkpoint's.
        model_name: where the checkpoint does not tell it.
    """

    to: str = "onnx"
    preprocess: str = "none"
    normalise: bool = False
    size: tuple[int, int] | None = None
    model_name: str = ""


@dataclass(frozen=True)
class Exported:
    """A file that was written.

    Attributes:
        path: the file.
        record: what it says of itself.
        parity: how near its features are to PyTorch's.
    """

    path: Path
    record: Mapping[str, Any]
    parity: Parity


def export_model(
    checkpoint: PathLike, path: PathLike, options: Options, plugins: Plugins | None = None
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
    _check_ending(target, form, options.to)
    source = load_source(checkpoint, options.model_name, options.size, plugins)
    network = FeatureNetwork(
        source.model,
        source.size,
        source.preprocessing["norm_mean"],
        source.preprocessing["norm_std"],
        options.preprocess,
        options.normalise,
    )
    record = make_record(source, network, plugins)
    save = form.convert(network, None)
    with partial_folder(target) as folder:
        partial = folder / target.name
        parity = _gated(save, partial, record, network, form)
        record |= {"parity": parity.as_dict()}
        save(partial, record)
        _publish(folder, target)
    return Exported(target, record, parity)


def make_record(source: Source, network: FeatureNetwork, plugins: Plugins) -> dict[str, Any]:
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
        "precision": "fp32",
        "check": UNCHECKED,
        "source": {"file": source.path.name},
    }
    for plugin in [each for each in plugins.active if "reid_export_metadata" in each.hooks]:
        hook = plugins.subset_hook("reid_export_metadata", [plugin])
        for answer in hook(metadata=source.metadata):
            if taken := sorted(record.keys() & dict(answer)):
                raise PluginDefectError(
                    f"plugin {plugin.origin} gave {taken[0]!r} in reid_export_metadata, which the "
                    "record has already"
                )
            record |= answer
    return record


def _check_ending(target: Path, form: Format, name: str) -> None:
    if target.suffix.lower() != form.ending:
        raise UserError(
            f"{str(target)!r} does not end in {form.ending}, as {name} files do", "Add the ending."
        )


def _gated(
    save: Save, path: Path, record: Mapping[str, Any], network: FeatureNetwork, form: Format
) -> Parity:
    """Write a file, open it as a user would, and refuse it if its features differ."""
    save(path, record)
    backend = form.open(path, "cpu", "fp32", None)
    parity = measure_parity(network, backend)
    check_parity(parity, str(record["precision"]))
    return parity


def _publish(folder: Path, target: Path) -> None:
    """Move what was written to its place, with its hash; the file itself comes last but that."""
    written = sorted(folder.iterdir(), key=lambda file: file.name == target.name)
    hashes = checksums([folder / target.name, *written[:-1]])
    checksum_file(target).unlink(missing_ok=True)
    for file in written:
        os.replace(file, target.with_name(file.name))  # noqa: PTH105 - over an older file
    checksum_file(folder / target.name).write_text(hashes, "utf-8")
    checksum_file(folder / target.name).replace(checksum_file(target))
