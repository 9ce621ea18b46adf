"""PA-100K (Liu et al., ICCV 2017): 100,000 images of pedestrians with 26 attributes."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from reid_plugins_datasets.pedestrian_attributes.cells import numbers, of_the_known_form, texts
from reid_plugins_datasets.pedestrian_attributes.described import DescribedImages
from reid_plugins_datasets.reading.matlab import load_mat
from reid_plugins_datasets.reading.option_values import choose
from reidcore.data import DatasetCard, OfficialCount, Splits, described_by, require

CARD = DatasetCard(
    title="PA-100K",
    folder="pa100k",
    layout="""\
pa100k/
    data/000001.jpg        the pictures; release_data/release_data/ serves too
    annotation/
        annotation.mat     or beside data/""",
    paper="Liu et al. HydraPlus-Net: Attentive Deep Features for Pedestrian Analysis. ICCV 2017",
    source="https://github.com/xh-liu/HydraPlus-Net",
    licence="research only, as far as known",
    protocol="80,000 images to learn from, 10,000 to validate (option learn_from), 10,000 to test. "
    "mA, accuracy, precision, recall and F1 of 26 attributes. There are no identities: the number "
    "in their place is that of a combination of attributes, and one image of each is searched for "
    "among those of the test.",
    pids_apart=True,
    counts=(
        OfficialCount("train", None, 80_000, when={"learn_from": "train"}),
        OfficialCount("gallery", None, 10_000),
    ),
)

_HALVES = {"train": ("train",), "trainval": ("train", "val")}
_FORM = "attributes, and the names and labels of train, val and test"


@described_by(CARD)
def pa100k(root: str | os.PathLike[str], *, learn_from: str = "train") -> Splits:
    """Read PA-100K, with a column ``attribute_*`` for each attribute.

    Args:
        root: folder that holds ``pa100k/``.
        learn_from: ``train``, or ``trainval`` for the images to validate with as well.

    Raises:
        DataError: a file is missing or not as expected, or there is no such option.
        UserError: scipy is missing.
    """
    parts = choose(CARD.title, "learn_from", learn_from, _HALVES)
    directory = Path(root) / CARD.folder
    folder = _first(directory / "release_data" / "release_data", directory / "data")
    file = _first(directory / "annotation.mat", directory / "annotation" / "annotation.mat")
    require(CARD, folder, file)
    halves = ("train", "val", "test")
    variables = [f"{half}_{what}" for half in halves for what in ("images_name", "label")]
    stored = load_mat(file, "attributes", *variables)
    with of_the_known_form(file, _FORM):
        paths = {half: texts(stored[f"{half}_images_name"]) for half in halves}
        answers = np.concatenate([numbers(stored[f"{half}_label"]) for half in halves])
        names = texts(stored["attributes"])
    images = DescribedImages(
        folder, [path for half in halves for path in paths[half]], names, answers, file
    )
    sizes = np.cumsum([0, *map(len, paths.values())])
    rows = {half: np.arange(*sizes[at : at + 2]) for at, half in enumerate(halves)}
    return images.splits(np.concatenate([rows[part] for part in parts]), rows["test"])


def _first(wanted: Path, otherwise: Path) -> Path:
    return wanted if wanted.exists() else otherwise
