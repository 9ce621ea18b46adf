"""Features from elsewhere: every format and layout gives the same, and mistakes are told."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from reid_plugins_runs.feature_files.query_gallery import GivenFeatures, read_features

from reidcore.errors import UserError

FEATURES = np.arange(24, dtype=np.float32).reshape(6, 4)
PIDS, CAMIDS, CLOTHES = [5, 7, 5, 7, 9, 5], [0, 0, 1, 1, 2, 2], [1, 1, 1, 2, 2, 2]
PATHS = [f"{number}.jpg" for number in range(6)]
SPLIT = ["query"] * 2 + ["gallery"] * 4
LABELS = {"split": SPLIT, "pid": PIDS, "camid": CAMIDS, "clothes": CLOTHES, "path": PATHS}


def arrays(**changes: Any) -> dict[str, Any]:
    columns = {"features": FEATURES, "pids": PIDS, "camids": CAMIDS, "clothes": CLOTHES}
    sides = (("query", slice(2)), ("gallery", slice(2, None)))
    found = {
        f"{side}_{name}": np.array(columns[name])[part] for side, part in sides for name in columns
    }
    found |= changes
    return {name: values for name, values in found.items() if values is not None}


def write_npz(folder: Path) -> Path:
    np.savez(folder / "f.npz", **arrays())
    return folder / "f.npz"


def write_table_npz(folder: Path) -> Path:
    np.savez(
        folder / "f.npz", features=FEATURES, **{name: np.array(v) for name, v in LABELS.items()}
    )
    return folder / "f.npz"


def write_csv(path: Path, columns: dict[str, Any]) -> Path:
    with path.open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(columns)
        rows.writerows(zip(*columns.values(), strict=True))
    return path


def write_npy(folder: Path) -> Path:
    np.save(folder / "f.npy", FEATURES)
    write_csv(folder / "f.csv", LABELS)
    return folder / "f.npy"


def write_numbered_csv(folder: Path) -> Path:
    numbered = {f"f{place}": FEATURES[:, place] for place in range(4)}
    return write_csv(folder / "f.csv", LABELS | numbered)


def write_parquet(folder: Path) -> Path:
    pyarrow = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    parquet.write_table(pyarrow.table(LABELS | {"feature": list(FEATURES)}), folder / "f.parquet")
    return folder / "f.parquet"


def write_fixed_parquet(folder: Path) -> Path:
    pyarrow = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    column = pyarrow.FixedSizeListArray.from_arrays(FEATURES.ravel(), 4)
    parquet.write_table(pyarrow.table(LABELS | {"embedding": column}), folder / "f.parquet")
    return folder / "f.parquet"


WRITERS = [
    write_npz,
    write_table_npz,
    write_npy,
    write_numbered_csv,
    write_parquet,
    write_fixed_parquet,
]


@pytest.mark.parametrize("write", WRITERS)
def test_every_format_gives_the_same(tmp_path, write: Callable[[Path], Path]) -> None:
    given = read_features(write(tmp_path))
    assert given.query.features.tolist() == FEATURES[:2].tolist()
    assert given.gallery.features.tolist() == FEATURES[2:].tolist()
    labels = given.labels()
    assert (labels.q_pids.tolist(), labels.g_pids.tolist()) == ([5, 7], [5, 7, 9, 5])
    assert (labels.q_camids.tolist(), labels.g_camids.tolist()) == ([0, 0], [1, 1, 2, 2])
    assert labels.q_columns["clothes"].tolist() == [1, 1]
    assert labels.g_columns["clothes"].tolist() == [1, 2, 2, 2]
    assert list(labels.g_columns) == ["clothes"]


@pytest.mark.parametrize(
    "names",
    [
        ("qf", "gf", "q_pids", "g_pids", "q_camids", "g_camids"),  # Torchreid's variables
        ("query_f", "gallery_f", "query_label", "gallery_label", "query_cam", "gallery_cam"),
        ("q_feats", "g_feats", "q_ids", "g_ids", "q_camera_ids", "g_camera_ids"),
        ("features_query", "features_gallery", "pids_q", "pids_g", "cams_q", "cams_g"),
        ("probe_embeddings", "gallery_embeddings", "probe_ID", "gallery_ID", "probe_cam", "g_cam"),
    ],
)
def test_names_of_other_frameworks_are_understood(tmp_path, names) -> None:
    values = (FEATURES[:2], FEATURES[2:], PIDS[:2], PIDS[2:], CAMIDS[:2], CAMIDS[2:])
    np.savez(tmp_path / "f.npz", **dict(zip(names, map(np.array, values), strict=True)))
    labels = read_features(tmp_path / "f.npz").labels()
    assert labels.g_pids.tolist() == PIDS[2:]
    assert labels.g_camids.tolist() == CAMIDS[2:]


def test_an_image_may_be_query_and_gallery_item_and_is_known_to_be_one(tmp_path) -> None:
    flags = {"is_query": [True, True, False], "is_gallery": [True, True, True]}
    columns = {"label": ["ann", "bo", "ann"], "camera": ["c1"] * 3, "x1": [7, 8, 9]}
    np.savez(tmp_path / "f.npz", features=FEATURES[:3], **flags, **columns)
    labels = read_features(tmp_path / "f.npz").labels()
    assert labels.q_files is not None
    assert labels.g_files is not None
    assert (labels.q_files.tolist(), labels.g_files.tolist()) == ([0, 1], [0, 1, 2])
    assert labels.g_pids.tolist() == [0, 1, 0]
    assert labels.g_columns["x1"].tolist() == [7, 8, 9]


def test_paths_tell_the_files_of_two_sides(tmp_path) -> None:
    paths = {"query_paths": np.array(["a", "b"]), "gallery_paths": np.array(["c", "b", "d", "e"])}
    np.savez(tmp_path / "f.npz", **arrays(**paths))
    labels = read_features(tmp_path / "f.npz").labels()
    assert labels.q_files is not None
    assert labels.g_files is not None
    assert labels.q_files[1] == labels.g_files[1]
    assert len({*labels.q_files, *labels.g_files}) == 5


def test_labels_are_found_by_their_paths(tmp_path) -> None:
    np.savez(tmp_path / "f.npz", features=FEATURES, paths=np.array(PATHS))
    shuffled = {name: list(reversed(values)) for name, values in LABELS.items()}
    table = write_csv(tmp_path / "labels.csv", shuffled)
    assert read_features(tmp_path / "f.npz", table).labels().g_pids.tolist() == PIDS[2:]


def test_leading_zeros_tell_names_apart(tmp_path) -> None:
    path = write_csv(
        tmp_path / "f.csv",
        {"f0": [1, 2, 3], "split": ["query", *["gallery"] * 2]}
        | {"pid": ["7", "7", "007"], "camid": [0, 1, 1]},
    )
    assert read_features(path).labels().g_pids.tolist() != [7, 7]


def test_rows_of_other_splits_are_left_out_and_told(tmp_path, caplog) -> None:
    np.save(tmp_path / "f.npy", FEATURES)
    write_csv(tmp_path / "f.csv", LABELS | {"split": [*SPLIT[:4], "train", "train"]})
    assert len(read_features(tmp_path / "f.npy").gallery) == 2
    assert "2 rows left out (neither query nor gallery): 'row 4', 'row 5'" in caplog.text


def read(folder: Path, **changes: Any) -> GivenFeatures:
    np.savez(folder / "f.npz", **arrays(**changes))
    return read_features(folder / "f.npz")


def broken(value: float) -> Any:
    features = FEATURES[2:].copy()
    features[1] = value
    return features


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"gallery_features": None}, "no features of the gallery; it has 'query_features', "),
        (
            {"query_pids": None, "query_pidz": np.array([5, 7])},
            r"no pids of the query; .*Did you mean .*'query_pidz'",
        ),
        ({"query_features": FEATURES[0]}, r"shape \(4,\)\. They must be \(items, dimensions\)"),
        ({"query_features": FEATURES[:0], "query_pids": PIDS[:0]}, "the query .* is empty"),
        ({"gallery_features": broken(np.nan)}, r"1 of 4 features .* NaN or infinite: '1'"),
        (
            {"gallery_features": broken(np.inf), "gallery_paths": np.array(PATHS[2:])},
            "NaN or infinite: '3.jpg'",
        ),
        ({"gallery_features": FEATURES[2:] * 1j}, "are complex64"),
        ({"gallery_pids": np.array([5, 7])}, r"4 features, but its pids are of shape \(2,\)"),
        ({"query_camids": None}, "the cameras of one side alone.*q_camids"),
        ({"query_pids": np.array(["5", "7"])}, "'pid' .* text on one side and numbers"),
        ({"query_paths": np.array([{}, {}])}, "Python objects, which are not unpickled"),
        (
            {"query_model": np.array("resnet50"), "gallery_model": np.array("osnet")},
            "of several models: 'resnet50', 'osnet'",
        ),
    ],
)
def test_bad_arrays_are_told(tmp_path, changes, told) -> None:
    with pytest.raises(UserError, match=told):
        read(tmp_path, **changes)


@pytest.mark.parametrize(
    ("pids", "told"),
    [
        (
            np.array([5.0, 7.5]),
            r"1 of 2 pids of the query of '.*' are no whole numbers: '1' has 7.5",
        ),
        (np.array([np.nan, 7]), r"1 of 2 pids .* are missing: '0'\. Give each item one"),
        (np.array([5, 1e19]), "no whole numbers: '1' has 1e"),
        (np.array([2**63, 7], dtype=np.uint64), "1 of 2 pids .* are beyond 64 bits: '0' has 922"),
        (np.array([5, 7], dtype=complex), "2 of 2 pids .* no whole numbers but complex128"),
    ],
)
def test_identities_that_are_no_numbers_of_64_bits_are_refused(tmp_path, pids, told) -> None:
    with pytest.raises(UserError, match=told):
        read(tmp_path, query_pids=pids)


def test_rows_without_an_identity_or_a_camera_are_told_by_the_table_that_lacks_it(tmp_path) -> None:
    np.save(tmp_path / "f.npy", FEATURES)
    for column, cells in (("pid", ["5", "7", "", "5", "7", "8"]), ("camid", ["a", " ", *"aaab"])):
        write_csv(tmp_path / "f.csv", {**LABELS, column: cells})
        place = cells.index(min(cells, key=lambda cell: len(cell.strip())))
        side = ("query", "gallery")[place > 1]
        told = rf"1 of \d {column}s of the {side} of '.*f\.csv' are missing: '{PATHS[place]}'"
        with pytest.raises(UserError, match=told):
            read_features(tmp_path / "f.npy")


@pytest.mark.parametrize(
    ("columns", "told"),
    [
        ({"split": None}, "no column that tells queries from gallery"),
        ({"split": None, "spilt": SPLIT}, "Did you mean 'spilt'"),
        (
            {"split": ["probe"] * 6},
            "no row of .* is of the gallery: its column 'split' has 'probe'",
        ),
        ({"split": None, "is_query": [2] * 6, "is_gallery": [1] * 6}, "'is_query' .* has '2'"),
        ({"split": None, "is_query": [0] * 6, "is_gallery": [1] * 6}, "is true of no row"),
        ({"f2": None}, "columns 'f0' to 'f3', without number 2"),
        ({"f1": ["a"] * 6}, "'f1' .* no numbers"),
        ({"pid": None}, r"no pids; it has 'split', 'camid', .*\. Call them pid\."),
        (
            {f"f{place}": None for place in range(4)},
            r"no features; it has 'split', .*Call them f0, f1, \.\.\. Or evaluate the \.npy",
        ),
    ],
)
def test_bad_tables_are_told(tmp_path, columns, told) -> None:
    numbered = {f"f{place}": FEATURES[:, place] for place in range(4)}
    table = {**LABELS, **numbered, **columns}
    path = write_csv(tmp_path / "f.csv", {name: v for name, v in table.items() if v is not None})
    with pytest.raises(UserError, match=told):
        read_features(path)


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("f.npz", None, "there is no file"),
        ("f.pkl", b"", "no ending of a file of features"),
        ("f.npzz", b"", "Did you mean '.npz'"),
        ("f.npz", b"PK\3\4 and no more", "no npz file, or is damaged"),
        ("f.npz", b"text", "is damaged: it does not begin as one"),
        ("f.npy", b"\x93NUMPY", "no npy file, or is damaged"),
        ("f.csv", b"split,pid\nquery\n", "line 2: 1 field, and the header has 2"),
        ("f.csv", b"split,pid\n", "is empty"),
        ("f.parquet", b"PAR1", "no parquet file, or is damaged"),
    ],
)
def test_bad_files_are_told(tmp_path, name, content, told) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(UserError, match=told):
        read_features(tmp_path / name)


def test_labels_that_do_not_fit_are_told(tmp_path) -> None:
    np.save(tmp_path / "f.npy", FEATURES)
    with pytest.raises(UserError, match="has features alone"):
        read_features(tmp_path / "f.npy")
    short = write_csv(tmp_path / "short.csv", {name: v[:5] for name, v in LABELS.items()})
    with pytest.raises(UserError, match=r"6 features, .*short\.csv' 5 rows"):
        read_features(tmp_path / "f.npy", short)
    np.savez(tmp_path / "f.npz", features=FEATURES, paths=np.array([*PATHS[:5], "else.jpg"]))
    with pytest.raises(UserError, match=r"1 path .* not in .*'else.jpg'"):
        read_features(tmp_path / "f.npz", short)


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({"q_pids": np.array([7, 5])}, "both 'query_pids' and 'q_pids' for 'pids'"),
        ({"query_pid": np.array([7, 5])}, "both 'pids' and 'pid' for 'pid'"),
    ],
)
def test_two_arrays_for_one_are_refused(tmp_path, more, told) -> None:
    np.savez(tmp_path / "f.npz", **arrays(**more))
    with pytest.raises(UserError, match=told):
        read_features(tmp_path / "f.npz")


def test_two_columns_for_one_are_refused(tmp_path) -> None:
    path = write_csv(tmp_path / "f.csv", {**LABELS, "PIDS": PIDS, "f0": PIDS})
    with pytest.raises(UserError, match="both 'pid' and 'PIDS' for 'pid'"):
        read_features(path)
