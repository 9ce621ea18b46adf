"""``reidcore calibrate``: what a model's similarities mean."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from reidcore.cli import (
    Session,
    component_names,
    device_option,
    echo,
    find_device,
    json_alone,
    json_option,
    progress,
)
from reidcore.errors import UserError

if TYPE_CHECKING:
    from reid_plugins_calibration.calibration import Calibration
    from reid_plugins_calibration.fit import Wishes
    from reid_plugins_calibration.images import Items
    from reidcore.inference import CheckpointMetadata
    from reidcore.plugins import Plugins

EPILOG = """\b
Examples:
  reidcore calibrate log/market1501/model.pth.tar-60 --data msmt17
  reidcore calibrate model.pth.tar-60 --data csv file=shop/labels.csv --fmr 0.01
  reidcore calibrate --features features.npz -o calibration.json --plot calibration.png
"""

_FILE, _FOLDER = click.Path(), click.Path(file_okay=False)
_DATASETS, _MODELS = component_names("datasets"), component_names("models")
_SHARE = click.FloatRange(0, 1, min_open=True, max_open=True)


@click.command(epilog=EPILOG)
@click.argument("checkpoint", type=_FILE, required=False)
@click.argument("words", nargs=-1, metavar="[OPTION=VALUE]...")
@click.option(
    "--data",
    shell_complete=_DATASETS,
    metavar="DATASET",
    help="Dataset; by default the first target of the run.",
)
@click.option(
    "--root", type=_FOLDER, metavar="DIR", help="Folder of datasets; by default that of the run."
)
@click.option(
    "--split",
    type=click.Choice(["test", "query", "gallery", "train"]),
    default="test",
    show_default=True,
    help="Which images: test is query and gallery together.",
)
@click.option("--features", type=_FILE, metavar="FILE", help="Features, in place of a dataset.")
@click.option("--labels", type=_FILE, metavar="FILE", help="Table of their labels, if apart.")
@click.option(
    "-m",
    "--model",
    default="",
    shell_complete=_MODELS,
    metavar="NAME",
    help="If the file says none.",
)
@click.option(
    "--fmr",
    type=_SHARE,
    multiple=True,
    metavar="RATE",
    help="Wanted false match rate; several, and by default 0.1, 0.01, 0.001 and 0.0001.",
)
@click.option(
    "--prior",
    type=_SHARE,
    default=0.5,
    show_default=True,
    help="Share of matches among the pairs that probabilities are for.",
)
@click.option("--same", type=_SHARE, metavar="RATE", help="FMR of the answer 'same'.")
@click.option(
    "--different",
    type=_SHARE,
    metavar="RATE",
    default=0.05,
    show_default=True,
    help="FNMR of the answer 'different'.",
)
@click.option(
    "--across-cameras/--within-cameras",
    "across",
    default=None,
    help="Whether only images of two cameras are compared; by default where there are several.",
)
@click.option("--pooled-only", is_flag=True, help="No thresholds for single pairs of cameras.")
@click.option("--plot", type=_FILE, metavar="FILE.png", help="Draw reliability and rates.")
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False),
    metavar="FILE",
    help="A copy of the checkpoint, or FILE.json; by default the checkpoint itself.",
)
@click.option("--batch-size", type=click.IntRange(min=1), help="Images at a time.")
@device_option
@json_option
@click.pass_obj
def calibrate(session: Session, /, as_json: bool, **options: Any) -> None:
    """Fit what the similarities of a model mean.

    Takes pairs of images of identities that CHECKPOINT was not trained on, and fits thresholds for
    wanted false match rates with their intervals, the probability of one identity, and where to
    answer same, different or undecided. All of it is kept in the checkpoint, of which nothing else
    changes, and goes with its exports. OPTION=VALUE is an option of the dataset. Of features from
    elsewhere no checkpoint is needed: --features FILE -o FILE.json.
    """
    asked = Asked(**options)
    with json_alone(as_json) as write, session.plugins() as plugins:
        calibration = asked.run(plugins)
        write(calibration.record)
    if not as_json:
        from reid_plugins_calibration.terminal import show

        show(calibration)
    echo(f"Calibration written to {asked.output or asked.checkpoint}", err=True)


@dataclass(frozen=True)
class Asked:
    """The command's arguments."""

    checkpoint: str | None
    words: tuple[str, ...]
    data: str | None
    root: str | None
    split: str
    features: str | None
    labels: str | None
    model: str
    fmr: tuple[float, ...]
    prior: float
    same: float | None
    different: float
    across: bool | None
    pooled_only: bool
    plot: str | None
    output: str | None
    batch_size: int | None
    device: str | None

    def run(self, plugins: Plugins) -> Calibration:
        """Calibrate and keep it.

        Raises:
            UserError: whatever stands against it, most of it before any work is done.
        """
        from reid_plugins_calibration.calibration import Calibration
        from reid_plugins_calibration.fit import calibrate, passes, require_scipy
        from reid_plugins_calibration.stored import Destination

        require_scipy()
        self._check()
        destination = Destination.of(self.checkpoint, self.output)
        known = _metadata(self.checkpoint)
        wishes = self._wishes()
        items, what, names = self._items(known, plugins)
        with progress("comparing", passes(items, wishes)) as advance:
            fitted = calibrate(items, wishes, what, names, advance)
        written = destination.write(fitted.calibration.record)
        if self.plot:
            from reid_plugins_calibration.picture import draw

            draw(fitted, self.plot)
        return Calibration.from_record(written)

    def _check(self) -> None:
        from reidcore.utils import check_writable

        if self.features is not None and (self.data or self.root or self.words):
            raise UserError(
                "--features stands in place of a dataset",
                "Leave --data, --root and options of datasets out.",
            )
        if self.checkpoint is None and self.features is None:
            raise UserError(
                "neither a checkpoint nor features are named",
                "Give CHECKPOINT --data NAME, or --features FILE -o FILE.json.",
            )
        if self.labels is not None and self.features is None:
            raise UserError("--labels is a table for features", "Give --features FILE with it.")
        kept = self.output or self.checkpoint
        for option, file in (("-o FILE", kept), ("--plot FILE", self.plot)):
            if file is not None:
                check_writable(Path(file).expanduser().parent, option)
        if self.plot is not None and Path(self.plot).suffix != ".png":
            raise UserError(f"{self.plot!r} does not end in .png", "Add the ending.")

    def _wishes(self) -> Wishes:
        from reid_plugins_calibration.fit import RATES, Wishes

        return Wishes(
            self.fmr or RATES, self.prior, self.same, self.different, not self.pooled_only
        )

    def _items(
        self, metadata: CheckpointMetadata, plugins: Plugins
    ) -> tuple[Items, str, dict[int, str]]:
        """Return the images, what they are called, and what their cameras are."""
        if self.features is not None:
            from reid_plugins_calibration.feature_file import items_in

            file = Path(self.features)
            labels = None if self.labels is None else Path(self.labels)
            items = items_in(file, labels, self.across)
            _check_width(items, metadata, file)
            return items, str(file), {}
        from reid_plugins_export.dataset import DatasetChoice, first_target

        from reid_plugins_calibration.sources import extract, labelled_images
        from reidcore.config import options_in
        from reidcore.inference import FeatureExtractor

        name = self.data or first_target(metadata.config)
        choice = DatasetChoice(name, self.root, options_in(self.words, [name])[name])
        labelled = labelled_images(choice.read(metadata.config, plugins), self.split)
        extractor = FeatureExtractor(
            self.model,
            self.checkpoint or "",
            device=find_device(self.device),
            verbose=False,
            batch_size=self.batch_size,
            plugins=plugins,
        )
        with progress("extracting", len(labelled.table)) as advance:
            features, rows = extract(extractor, labelled, advance)
        return labelled.items(features, rows, self.across), labelled.name, labelled.camera_names


def _metadata(path: str | None) -> CheckpointMetadata:
    """Return what a file says of its model; empty without one."""
    from reid_plugins_calibration.stored import is_export
    from reidcore.inference import CheckpointMetadata, read_metadata

    if path is None:
        return CheckpointMetadata()
    if not is_export(Path(path)):
        return read_metadata(path)
    from reid_plugins_export.record import read_record

    return CheckpointMetadata(model={"feature_dim": read_record(path).get("feature_dim")})


def _check_width(items: Items, metadata: CheckpointMetadata, file: Path) -> None:
    found, own = items.features.shape[1], metadata.model.get("feature_dim")
    if own is not None and own != found:
        raise UserError(
            f"the features of {str(file)!r} have {found} dimensions, those of the checkpoint {own}",
            "Give features that this model made.",
        )
