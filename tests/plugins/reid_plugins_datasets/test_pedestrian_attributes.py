"""PA-100K, PETA and RAP: small files of the forms that public code reads."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from reid_plugins_datasets.pedestrian_attributes.described import DescribedImages
from reid_plugins_datasets.pedestrian_attributes.pa100k import CARD as pa100k_card
from reid_plugins_datasets.pedestrian_attributes.structure import Structure
from reidcore.data import SampleTable, init_image_dataset
from reidcore.errors import DataError

scipy_io = pytest.importorskip("scipy.io")

NAMES = ["Hat", "Long Coat", "Skirt&Dress"]
ANSWERS = np.array([[1, 0, 0], [1, 0, 0], [0, 1, 1], [0, 1, 1], [0, 0, 1], [1, 0, 0]])
TRAIN, VALIDATION, TEST = [1, 3], [6], [2, 4, 5]  # as the files count


def cells(*values):
    made = np.empty((len(values), 1), dtype=object)
    for row, value in enumerate(values):
        made[row, 0] = value
    return made


def numbers_in(values, column=True):
    return np.array(values)[:, None] if column else np.array(values)[None]


def touch(folder: Path, names) -> None:
    folder.mkdir(parents=True)
    for name in names:
        (folder / name).touch()


def pa100k(root):
    files = [f"{number:06d}.jpg" for number in range(1, 7)]
    touch(root / "pa100k" / "data", files)
    (root / "pa100k" / "annotation").mkdir()
    stored = {"attributes": cells(*NAMES)}
    for half, rows in (("train", TRAIN), ("val", VALIDATION), ("test", TEST)):
        stored[f"{half}_images_name"] = cells(*(files[row - 1] for row in rows))
        stored[f"{half}_label"] = ANSWERS[[row - 1 for row in rows]].astype(np.uint8)
    scipy_io.savemat(root / "pa100k" / "annotation" / "annotation.mat", stored)
    return files


def peta(root):
    files = [f"{number:05d}.png" for number in range(1, 7)]
    touch(root / "peta" / "images", files)
    about = np.arange(24).reshape(6, 4)  # columns about the picture stand before the attributes
    halves = [
        cells({"train": numbers_in(TRAIN), "val": numbers_in(VALIDATION), "test": numbers_in(TEST)})
        for _ in range(5)
    ]
    content = {
        "data": np.hstack([about, ANSWERS]),
        "attribute": cells(*NAMES),
        "selected": numbers_in([1, 2, 3]),
        "partition": cells(*halves),
    }
    scipy_io.savemat(root / "peta" / "PETA.mat", {"peta": content})
    return files


def rap(root):
    files = [f"CAM01-{number}.png" for number in range(1, 7)]
    touch(root / "rap" / "RAP_dataset", files)
    (root / "rap" / "RAP_annotation").mkdir()
    halves = [
        cells(
            {
                "train": numbers_in([*TRAIN, *VALIDATION], column=False),
                "test": numbers_in(TEST, column=False),
            }
        )
        for _ in range(5)
    ]
    content = {
        "partition": cells(*halves),
        "label": ANSWERS,
        "attribute_chi": cells("a", "b", "c"),
        "attribute_eng": cells(*NAMES),
        "position": np.zeros((6, 4)),
        "imagesname": cells(*files),
        "attribute_exp": cells(*NAMES),
    }
    file = root / "rap" / "RAP_annotation" / "RAP_annotation.mat"
    scipy_io.savemat(file, {"RAP_annotation": content})
    return files


def rap2(root):
    files = [f"CAM02-{number}.png" for number in range(1, 7)]
    touch(root / "rap2" / "RAP_dataset", files)
    (root / "rap2" / "RAP_annotation").mkdir()
    split = {
        "train_index": numbers_in(TRAIN, column=False),
        "val_index": numbers_in(VALIDATION, column=False),
        "test_index": numbers_in(TEST, column=False),
    }
    halves = np.empty((1, 5), dtype=object)
    for place in range(5):
        halves[0, place] = split
    unclear = np.full((6, 1), 2)  # an attribute that is not selected, in first place
    content = {
        "name": cells(*files),
        "data": np.hstack([unclear, ANSWERS]),
        "attribute_eng": cells("Weather", *NAMES),
        "selected_attribute": numbers_in([2, 3, 4], column=False),
        "partition_attribute": halves,
    }
    file = root / "rap2" / "RAP_annotation" / "RAP_annotation.mat"
    scipy_io.savemat(file, {"RAP_annotation": content})
    return files


MAKERS = {"pa100k": pa100k, "peta": peta, "rap": rap, "rap2": rap2}
COLUMNS = ["attribute_Hat", "attribute_Long_Coat", "attribute_Skirt&Dress"]


def described(samples):
    table = SampleTable.of(samples)
    columns = [table.columns[name] for name in COLUMNS]
    return {
        Path(path).name: [int(column[row]) for column in columns]
        for row, path in enumerate(table.paths)
    }


@pytest.mark.parametrize("name", MAKERS)
def test_each_image_has_the_attributes_that_the_file_says(name, tmp_path) -> None:
    files = MAKERS[name](tmp_path)
    found = init_image_dataset(name, root=tmp_path)
    learnt = TRAIN if name == "pa100k" else [*TRAIN, *VALIDATION]
    assert described(found.train) == {files[row - 1]: ANSWERS[row - 1].tolist() for row in learnt}
    assert described(found.gallery) == {files[row - 1]: ANSWERS[row - 1].tolist() for row in TEST}
    train, gallery = SampleTable.of(found.train), SampleTable.of(found.gallery)
    assert sorted(train.columns) == sorted(COLUMNS)
    # Nobody in the test looks alike.
    assert len(set(gallery.pids.tolist())) == 3
    assert len(found.query) == 0


def test_one_of_each_group_that_looks_alike_is_searched_for(tmp_path) -> None:
    files = pa100k(tmp_path)
    stored = scipy_io.loadmat(tmp_path / "pa100k" / "annotation" / "annotation.mat")
    kept = {key: value for key, value in stored.items() if not key.startswith("__")}
    kept["test_label"] = ANSWERS[[1, 1, 4]].astype(np.uint8)
    scipy_io.savemat(tmp_path / "pa100k" / "annotation" / "annotation.mat", kept)
    found = init_image_dataset("pa100k", root=tmp_path, learn_from="trainval")
    assert [Path(sample[0]).name for sample in found.query] == [files[1]]
    assert {sample[2] for sample in found.query}.isdisjoint(s[2] for s in found.gallery)
    assert len(found.train) == len(TRAIN) + len(VALIDATION)


def test_two_attributes_of_one_name_are_told(tmp_path) -> None:
    with pytest.raises(DataError, match="would be one column: 'age >16'"):
        DescribedImages(tmp_path, ["a.png"], ["age >16", "age <16"], ANSWERS[:1, :2], tmp_path)


@pytest.mark.parametrize("name", ["peta", "rap", "rap2"])
def test_there_are_five_splits(name, tmp_path) -> None:
    MAKERS[name](tmp_path)
    init_image_dataset(name, root=tmp_path, split_id=4)
    with pytest.raises(DataError, match="no split 5"):
        init_image_dataset(name, root=tmp_path, split_id=5)


@pytest.mark.parametrize("name", MAKERS)
def test_what_is_missing_or_of_another_form_is_told(name, tmp_path) -> None:
    with pytest.raises(DataError, match=r"RAP_annotation|PETA\.mat|annotation\.mat"):
        init_image_dataset(name, root=tmp_path)
    files = MAKERS[name](tmp_path)
    (file,) = tmp_path.rglob("*.mat")
    picture = next(tmp_path.rglob(files[1]))
    picture.unlink()
    with pytest.raises(DataError, match=files[1]):
        init_image_dataset(name, root=tmp_path)
    picture.touch()
    variable = {"pa100k": "attributes", "peta": "peta"}.get(name, "RAP_annotation")
    stored = scipy_io.loadmat(file)
    kept = {key: value for key, value in stored.items() if not key.startswith("__")}
    scipy_io.savemat(file, {**kept, variable: np.zeros((2, 2))})
    with pytest.raises(DataError, match=file.name):
        init_image_dataset(name, root=tmp_path)


def written(folder: Path, partition: list[list[int]], labels=ANSWERS):
    """Write a structure of labels, names, a partition and pictures, and return how it is read."""
    touch(folder / "toy" / "seen", [f"{number:05d}.png" for number in range(1, 7)])
    parts = {f"part{at}": numbers_in(rows) for at, rows in enumerate(partition)}
    content = {"l": labels, "n": cells(*NAMES), "p": cells(*[cells(parts)] * 5)}
    scipy_io.savemat(folder / "toy" / "toy.mat", {"toy": content})
    return Structure(
        "toy.mat", "toy", "labels", "seen", labels=0, attributes=1, partitions=2, parts=2, first=2
    ).read(replace(pa100k_card, title="toy", folder="toy"), folder, 0)


def test_the_first_attributes_are_evaluated_and_odd_answers_are_unknown(tmp_path) -> None:
    labels = ANSWERS.copy()
    labels[0, :2] = [2, -3]
    train = SampleTable.of(written(tmp_path, [[1, 2], [3, 4]], labels).train)
    assert {name: column.tolist() for name, column in train.columns.items()} == {
        "attribute_Hat": [-1, 1],
        "attribute_Long_Coat": [-1, 0],
    }


def test_a_partition_of_other_parts_is_told(tmp_path) -> None:
    with pytest.raises(DataError, match=r"toy\.mat' is not of .* has 3 parts, not 2"):
        written(tmp_path, [[1, 2], [3], [4]])
