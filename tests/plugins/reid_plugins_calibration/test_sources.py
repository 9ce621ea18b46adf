"""Images and labels of datasets."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from reid_plugins_calibration.similarity_counts import spread_of
from reid_plugins_calibration.sources import labelled_images, tracks_of
from reid_plugins_export.dataset import DatasetChoice

from reidcore.errors import DataError, UserError
from reidcore.plugins import current_plugins

HEADER = "path,pid,camid,split,track,sequence"


@pytest.fixture
def table(tmp_path) -> Path:
    """Six images of each of four cars: two tracks in one camera, one in the other."""
    rows = [
        f"{pid}_{image}.jpg,car{pid},{'gate' if image < 4 else 'yard'},"
        f"{'query' if image == 0 else 'gallery'},{image // 2},morning"
        for pid in range(4)
        for image in range(6)
    ]
    rows += [f"stranger{number}.jpg,nobody,gate,gallery,{number},noon" for number in range(3)]
    rows += ["learnt.jpg,learnt,gate,train,0,noon"]
    for row in rows:
        (tmp_path / row.partition(",")[0]).touch()
    (tmp_path / "cars.csv").write_text("\n".join([HEADER, *rows]) + "\n")
    return tmp_path / "cars.csv"


def read(config, name, split="test", root=None, **options):
    choice = DatasetChoice(name, root, options)
    return labelled_images(choice.read(config, current_plugins()), split)


def test_a_csv_with_tracks_is_compared_between_them(table) -> None:
    found = read({}, "csv", root=str(table.parent), file="cars.csv")
    assert len(found.table) == 4 * 6 + 3
    assert set(found.camera_names.values()) == {"gate", "yard"}
    features = np.random.default_rng(0).normal(size=(len(found.table), 4))
    rows = list(range(len(found.table)))
    within = spread_of(found.items(features, rows, across=False))
    # Of 15 pairs of a car's images three are within a track; strangers match nobody.
    assert within.num_matches == 4 * 12
    assert within.num_nonmatches == 6 * 36 + 4 * 6 * 3
    assert spread_of(found.items(features, rows)).num_matches == 4 * 8


def test_images_that_could_not_be_read_are_left_out_with_their_labels(table) -> None:
    found = read({}, "csv", root=str(table.parent), file="cars.csv")
    rows = [row for row in range(len(found.table)) if row % 6]
    items = found.items(np.ones((len(rows), 2)), rows)
    assert len(items) == len(rows)


def test_a_name_of_the_run_brings_its_place_and_options(table) -> None:
    named = {"cars": {"csv": {"file": str(table), "pid": "pid"}}}
    config = {"data": {"root": "elsewhere", "targets": ["cars"], "datasets": named}}
    assert len(read(config, "cars").table) == 27
    assert len(read(config, "cars", "query").table) == 4
    with pytest.raises(UserError, match="plate"):
        read(config, "cars", pid="plate")


def test_a_split_without_images_is_refused(table) -> None:
    table.write_text("\n".join(table.read_text().splitlines()[:-1]) + "\n")
    with pytest.raises(UserError):
        read({}, "csv", "train", str(table.parent), file="cars.csv")


def test_tracklets_are_refused(tmp_path) -> None:
    from reidcore.data import Sample
    from reidcore.testing import make_plugins

    class Videos:
        """A dataset of tracklets."""

        from reidcore import hookimpl

        @hookimpl
        def reid_register_datasets(self, registry) -> None:
            clip = [Sample(("a.jpg", "b.jpg"), 0, 0)]
            registry.add("clips", lambda root: (clip, clip, clip))

    with make_plugins(Videos()) as plugins:
        tables = DatasetChoice("clips", str(tmp_path)).read({}, plugins)
        with pytest.raises(DataError, match="has tracklets"):
            labelled_images(tables, "test")


def test_a_track_is_of_one_identity_camera_and_sequence() -> None:
    track, sequence = np.array([1, 1, 1, 1, 1]), np.array(["a", "a", "a", "b", "a"])
    pids, camids = np.array([0, 0, 1, 0, 0]), np.array([0, 0, 0, 0, 1])
    found = tracks_of({"track": track, "sequence": sequence}, pids, camids)
    assert found[0] == found[1]
    assert len(set(found.tolist())) == 4
    assert tracks_of({"frame": track}, pids, camids) is None
