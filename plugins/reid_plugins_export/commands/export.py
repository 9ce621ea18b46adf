"""``reidcore export``: a model as a file that other programs run."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from reidcore.cli import Session, component_names, echo, json_alone, json_option
from reidcore.errors import UserError, quoted

if TYPE_CHECKING:
    from reid_plugins_export.dataset import DatasetChoice
    from reid_plugins_export.export import Exported, Options

EPILOG = """\b
Examples:
  reidcore export log/quickstart/model-best.pth.tar --to onnx
  reidcore export model.pth.tar --to onnx --preprocess mean_std --normalise -o reid.onnx
  reidcore export --show reid.onnx
  reidcore export model.pth.tar --to openvino --check market1501 --root reid-data
  reidcore export model.pth.tar --to onnx --int8 csv csv.file=shop/labels.csv -o small.onnx
"""

_FILE, _FOLDER, _DATASETS = click.Path(), click.Path(file_okay=False), component_names("datasets")


@click.command(epilog=EPILOG)
@click.argument("checkpoint", type=_FILE)
@click.argument("words", nargs=-1, metavar="[OPTION=VALUE]...")
@click.option(
    "--to",
    "form",
    default="onnx",
    show_default=True,
    metavar="FORMAT",
    help="onnx, openvino, torchscript, pt2, or a plugin's.",
)
@click.option("-o", "--output", type=_FILE, metavar="FILE", help="By default beside CHECKPOINT.")
@click.option(
    "--preprocess",
    type=click.Choice(["none", "mean_std", "full"]),
    default="none",
    show_default=True,
    help="What of the preprocessing is folded into the file.",
)
@click.option(
    "--normalise", "--normalize", "normalise", is_flag=True, help="Give features of unit length."
)
@click.option(
    "--check",
    shell_complete=_DATASETS,
    metavar="DATASET",
    help="Compare the mAP with PyTorch's on its queries and gallery.",
)
@click.option(
    "--int8",
    shell_complete=_DATASETS,
    metavar="DATASET",
    help="Quantise with its training images, and check on it unless --check names another.",
)
@click.option(
    "--allow-loss",
    type=click.FloatRange(min=0),
    default=0.5,
    show_default=True,
    metavar="POINTS",
    help="Of mAP, that the interval of the difference may reach.",
)
@click.option(
    "--root", type=_FOLDER, metavar="DIR", help="Folder of datasets; by default that of the run."
)
@click.option("--size", metavar="HxW", help="Of the images; by default the checkpoint's.")
@click.option(
    "-m",
    "--model",
    default="",
    shell_complete=component_names("models"),
    metavar="NAME",
    help="If the checkpoint does not tell it.",
)
@click.option("--show", is_flag=True, help="Only tell what an exported file says of itself.")
@json_option
@click.pass_obj
def export(
    session: Session, /, output: str | None, show: bool, as_json: bool, **options: Any
) -> None:
    """Export a model to a file that other programs run.

    The file takes any number of images, says of itself how they are prepared, and is written only
    if its features are those of PyTorch. A hash is written beside it. FORMAT is onnx, torchscript,
    openvino, pt2, or what a plugin brings; OPTION=VALUE are those of DATASET, whose name stands
    before them where there are two. With --show, CHECKPOINT is an exported file.
    """
    asked = Asked(**options)
    with json_alone(as_json) as write, session.plugins() as plugins:
        if show:
            from reid_plugins_export.description import describe

            described = describe(Path(asked.checkpoint), plugins)
            write(described.as_dict())
            lines = described.lines()
        else:
            from reid_plugins_export.export import export_model
            from reid_plugins_export.formats import format_named

            ending = format_named(asked.form, plugins).ending
            target = Path(output) if output else _beside(Path(asked.checkpoint), ending)
            exported = export_model(asked.checkpoint, target, asked.options, plugins)
            write({"file": str(exported.path), "record": dict(exported.record)})
            lines = _told(exported)
    if not as_json:
        echo("\n".join(lines))


@dataclass(frozen=True)
class Asked:
    """The command's arguments."""

    checkpoint: str
    words: tuple[str, ...]
    form: str
    preprocess: str
    normalise: bool
    check: str | None
    int8: str | None
    allow_loss: float
    root: str | None
    size: str | None
    model: str

    @property
    def options(self) -> Options:
        """What is asked of the export.

        Raises:
            UserError: if a size is none, or settings are given and no dataset.
        """
        from reid_plugins_export.export import Options

        if self.words and not (self.check or self.int8):
            raise UserError(
                f"{quoted(self.words[0])} is a setting of no dataset", "Give --check or --int8."
            )
        return Options(
            self.form,
            self.preprocess,
            self.normalise,
            _size(self.size),
            self.model,
            *self._datasets(),
            self.allow_loss,
        )

    def _datasets(self) -> tuple[DatasetChoice | None, DatasetChoice | None]:
        """Return the dataset to quantise with, and the one to check on."""
        from reid_plugins_export.dataset import DatasetChoice
        from reidcore.config import options_in

        options = options_in(self.words, [name for name in (self.int8, self.check) if name])
        int8, check = (
            DatasetChoice(name, self.root, options[name]) if name else None
            for name in (self.int8, self.check)
        )
        return int8, check


def _beside(checkpoint: Path, ending: str) -> Path:
    """Return ``model-best.onnx`` for ``model-best.pth.tar``, ``model-60.onnx`` for epoch 60's."""
    stem = re.sub(r"\.(pth|pt|safetensors)(\.tar)?(?=-\d+$|$)", "", checkpoint.name)
    return checkpoint.with_name(stem + ending)


def _size(text: str | None) -> tuple[int, int] | None:
    if text is None:
        return None
    found = re.fullmatch(r"(\d+)[xX](\d+)", text)
    if not found or "0" in found.groups():
        raise UserError(f"--size {quoted(text)} is no size", "Give HEIGHTxWIDTH, such as 256x128.")
    return int(found[1]), int(found[2])


def _told(exported: Exported) -> list[str]:
    """Return what was written, how near it is to PyTorch's, and how it does on a dataset."""
    parity, record = exported.parity, exported.record
    height, width = (record["preprocessing"][side] for side in ("height", "width"))
    batches = ", ".join(map(str, parity.batches))
    lines = [
        f"{exported.path}: {record['model']['name']}, images {height}x{width}, "
        f"{record['feature_dim']} dimensions, {exported.path.stat().st_size / 1e6:.1f} MB",
        f"features of {batches} images: within {parity.difference:.1g} of PyTorch's, "
        f"cosine {parity.cosine:.6f}",
    ]
    return lines if exported.check is None else [*lines, exported.check.told()]
