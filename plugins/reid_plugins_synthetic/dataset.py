"""The synthetic dataset by its name: drawn where it is not there yet, then read."""

from __future__ import annotations

import os
from pathlib import Path

from reid_plugins_synthetic.album import Settings
from reid_plugins_synthetic.looks import with_looks
from reid_plugins_synthetic.make import MARKER, RELEASE, make_synthetic, settings_of
from reidcore.data import JUNK_PID, DatasetCard, SampleTable, Splits, described_by, from_folders
from reidcore.errors import DataError, quoted

DISTRACTOR_PID = 0

CARD = DatasetCard(
    title="Synthetic",
    folder="synthetic",
    layout="""\
synthetic/
    people80+60-cameras6x3-seed0-r1/    drawn on first use; its name says from what
        bounding_box_train/, query/, bounding_box_test/    as in Market-1501
        synthetic.json""",
    paper="none",
    source="drawn on this machine; also by: reidcore data make-synthetic",
    licence="as this software",
    protocol="As Market-1501: images of the query's person by the query's camera are left out. "
    "Junk boxes (-1) are in no list; distractors (0) are in the gallery and never learnt from.",
    junk_pids=(DISTRACTOR_PID, JUNK_PID),
    camera_names=tuple("123456"),
)


@described_by(CARD)
def synthetic(
    root: str | os.PathLike[str],
    *,
    train_ids: int = Settings.train_ids,
    test_ids: int = Settings.test_ids,
    cameras: int = Settings.cameras,
    images_per_camera: int = Settings.images_per_camera,
    seed: int = Settings.seed,
    attributes: bool = False,
) -> Splits:
    """Open a synthetic dataset below ``root/synthetic``, drawing it first if it is not there.

    Args:
        root: folder of the datasets. If it, or ``synthetic`` below it, was written by ``reidcore
            data make-synthetic``, then that is read, as far as the options given agree.
        train_ids: number of people to learn from.
        test_ids: number of other people, for query and gallery.
        cameras: number of cameras, 2 to 6.
        images_per_camera: pictures of each person by each camera (a query comes on top).
        seed: seed of everything drawn.
        attributes: add a column ``attribute_*`` for each garment, colour and bag, see `looks`.

    Raises:
        DataError: a setting is out of range, or is another in the folder found.
        UserError: the folder cannot be written.
    """
    settings = Settings(train_ids, test_ids, cameras, images_per_camera, seed=seed)
    for place in (Path(root), Path(root) / "synthetic"):
        if (place / MARKER).is_file():
            found = _check_same(place, settings)
            return with_looks(_read(place), found) if attributes else _read(place)
    directory = Path(root) / "synthetic" / _folder_of(settings)
    made = make_synthetic(directory, **settings.as_dict())
    splits = _read(made.directory)
    return with_looks(splits, settings) if attributes else splits


def _read(directory: Path) -> Splits:
    """Read the three folders; the names of files count cameras from 1."""
    splits = from_folders(directory, "bounding_box_train", "query", "bounding_box_test")
    return Splits(*(SampleTable.of(samples).shifted(camids=-1) for samples in splits))


def _check_same(place: Path, wanted: Settings) -> Settings:
    """Return what a folder was drawn from; it is refused if that is not what was asked for."""
    found = settings_of(place)
    for name, value in wanted.as_dict().items():
        if value not in (found.get(name), getattr(Settings, name)):
            raise DataError(
                f"the synthetic dataset in {str(place)!r} was made with {name}={found.get(name)}, "
                f"not {quoted(value)}",
                "Leave the option out, or name another root.",
            )
    return Settings(**{name: found[name] for name in wanted.as_dict() if name in found})


def _folder_of(settings: Settings) -> str:
    """Return a folder name that says what a data set was made from."""
    return (
        f"people{settings.train_ids}+{settings.test_ids}-cameras{settings.cameras}"
        f"x{settings.images_per_camera}-seed{settings.seed}-r{RELEASE}"
    )
