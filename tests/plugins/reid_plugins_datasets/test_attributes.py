"""Attributes of Market-1501 and DukeMTMC-reID as columns."""

from pathlib import Path

import numpy as np
import pytest

from reidcore.data import init_image_dataset
from reidcore.errors import DataError, UserError

# Record -> dataset, where its release goes below a data root, the file of attributes, its variable.
BENCHMARKS = {
    "market1501_attribute": (
        "market1501",
        "market1501/Market-1501-v15.09.15",
        "market_attribute.mat",
    ),
    "dukemtmc_attribute": ("dukemtmcreid", "dukemtmc-reid/DukeMTMC-reID", "duke_attribute.mat"),
}

# Dataset -> columns that it has anyway.
OTHERS = {"market1501": ["frame", "sequence"], "dukemtmcreid": ["frame"]}


@pytest.fixture
def put(plant):
    """Plant a benchmark with attributes and move it to where its dataset looks for it."""

    def put(record):
        root = plant(record).root
        _, place, _ = BENCHMARKS[record]
        planted_at = next(root.glob(f"*/{Path(place).name}"))
        (root / place).parent.mkdir()
        planted_at.rename(root / place)
        return root

    return put


@pytest.mark.parametrize("record", BENCHMARKS)
def test_attributes_are_the_recorded_ones(record, put, recorded):
    root = put(record)
    (case,) = recorded(record)["cases"]
    key, _, _ = BENCHMARKS[record]
    found = init_image_dataset(key, root=root, attributes=True)
    names = [f"attribute_{case['attr_names'][str(n)]}" for n in range(len(case["attr_names"]))]
    for table, half in ((found.train, "train"), (found.gallery, "test")):
        assert sorted(table.columns) == sorted([*names, *OTHERS[key]])
        rows = np.stack([table.columns[name] for name in names], axis=1).tolist()
        ours = {Path(path).name: row for path, row in zip(table.paths, rows, strict=True)}
        theirs = {Path(path).name: row for path, row in case[half]}
        assert {name: ours[name] for name in theirs} == theirs
    nobody = found.gallery.pids == 0
    assert all((found.gallery.columns[name][nobody] == -1).all() for name in names)
    assert (found.query.columns[names[0]] >= 0).all()


def test_without_the_option_there_are_no_attributes(put):
    found = init_image_dataset("market1501", root=put("market1501_attribute"))
    assert sorted(found.train.columns) == OTHERS["market1501"]


def test_what_is_no_file_of_attributes_is_told(put):
    root = put("dukemtmc_attribute")
    _, place, name = BENCHMARKS["dukemtmc_attribute"]
    savemat = pytest.importorskip("scipy.io").savemat
    contents = [
        {"other": [1]},
        {"duke_attribute": [1]},
        {"duke_attribute": {"train": {"hat": [1]}, "test": {"hat": [1]}}},
        {"duke_attribute": {"train": {"image_index": ["0001"], "hat": [1, 2]}, "test": {}}},
    ]
    for content in contents:
        savemat(root / place / name, content)
        with pytest.raises(DataError, match=name):
            init_image_dataset("dukemtmcreid", root=root, attributes=True)
    (root / place / name).unlink()
    with pytest.raises(UserError, match=f"{name}.*does not exist"):
        init_image_dataset("dukemtmcreid", root=root, attributes=True)
