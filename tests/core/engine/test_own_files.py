"""A run whose queries lie in its gallery too."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from reidcore.errors import DataError
from reidcore.testing import fake_dataset, tiny_run


@pytest.fixture
def linked(tmp_path: Path) -> Path:
    """A dataset whose gallery has every query too, by a camera of no query."""
    fake_dataset(tmp_path / "data" / "tiny")
    for query in sorted((tmp_path / "data" / "tiny" / "query").iterdir()):
        name = query.name.replace("_c1_", "_c8_").replace("_c2_", "_c9_")
        (tmp_path / "data" / "tiny" / "gallery" / name).hardlink_to(query)
    return tmp_path


def test_a_query_does_not_find_itself_and_that_is_told_and_recorded(linked, caplog) -> None:
    with caplog.at_level("INFO", "reidcore"):
        run = tiny_run(save_dir=linked / "log", root=linked / "data")
    assert run.result["targets"]["tiny"]["num_own_files"] == 24
    assert caplog.text.count("24 gallery images left out (each the same file as the query") == 1
    assert "/query/0007_c1_000000.png', " in caplog.text
    nearest = run.engine.record.targets["tiny"].ranking
    assert nearest.num_valid == 24


def test_a_table_without_cameras_does_not_find_its_queries(tmp_path) -> None:
    train, query, gallery = fake_dataset(tmp_path / "pictures")
    sides = {"train": train, "query": query, "gallery": [*gallery, *query]}
    rows = [f"{s.path},{s.pid},{split}" for split, samples in sides.items() for s in samples]
    (tmp_path / "table.csv").write_text("\n".join(["path,pid,split", *rows]))
    run = tiny_run(
        save_dir=tmp_path / "log", root=tmp_path, dataset="csv", overrides=["csv.file=table.csv"]
    )
    assert run.result["targets"]["csv"]["num_own_files"] == 24
    table = run.engine.record.targets["csv"]
    alone = np.isin(table.query.paths.file_ids, table.gallery.paths.file_ids)
    assert alone.all()
    assert table.ranking.cmc_at(1) < 1


def test_queries_that_are_skipped_are_told_with_their_names(tmp_path, caplog) -> None:
    fake_dataset(tmp_path / "data" / "tiny")
    for picture in (tmp_path / "data" / "tiny" / "gallery").glob("0007_*"):
        picture.unlink()
    with caplog.at_level("INFO", "reidcore"):
        tiny_run(save_dir=tmp_path / "log", root=tmp_path / "data")
    assert caplog.text.count("tiny: 4 of 24 queries left out (without a match): '") == 1
    assert "0007_c1_000000.png', " in caplog.text
    assert " and 1 more" in caplog.text


def test_without_such_files_nothing_is_told(tmp_path, caplog) -> None:
    with caplog.at_level("INFO", "reidcore"):
        run = tiny_run(save_dir=tmp_path / "log")
    assert run.result["targets"]["tiny"]["num_own_files"] == 0
    assert "same file" not in caplog.text


def test_queries_that_could_find_only_themselves_are_refused_before_training(tmp_path) -> None:
    fake_dataset(tmp_path / "data" / "tiny")
    gallery = tmp_path / "data" / "tiny" / "gallery"
    for picture in gallery.iterdir():
        picture.unlink()
    for query in (tmp_path / "data" / "tiny" / "query").iterdir():
        (gallery / query.name.replace("_c", "_c1")).symlink_to(query)
        if not query.name.endswith("_c1_000000.png"):
            (gallery / query.name.replace("_c", "_c1")).unlink()
            query.unlink()
    with pytest.raises(DataError, match="no match for itself, under any name"):
        tiny_run(save_dir=tmp_path / "log", root=tmp_path / "data")


def test_what_a_dataset_leaves_out_is_told_once_and_recorded(tmp_path, caplog) -> None:
    fake_dataset(tmp_path / "data" / "tiny")
    gallery = tmp_path / "data" / "tiny" / "gallery"
    for name in ("-1_c1_0.png", "-1_c2_0.png", "cover.png", "scan.tif", "notes.txt"):
        (gallery / name).touch()
    with caplog.at_level("INFO", "reidcore"):
        run = tiny_run(save_dir=tmp_path / "log", root=tmp_path / "data")
    kinds = {found["what"]: found for found in run.result["left_out"]["tiny"]}
    assert {what: found["count"] for what, found in kinds.items()} == {
        "images of identity -1": 2,
        "images": 2,
        "files": 1,
    }
    assert kinds["images of identity -1"]["expected"] is True
    names = ("cover.png", "scan.tif")
    assert kinds["images"]["names"] == [str(gallery / name) for name in names]
    assert kinds["files"]["expected"] is True
    assert caplog.text.count("2 images of identity -1 left out (junk)") == 1
