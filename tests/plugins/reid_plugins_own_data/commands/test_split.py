"""``reidcore data split`` as users run it."""

from __future__ import annotations

import json
from functools import partial

import pytest

from reidcore.data import init_image_dataset


@pytest.fixture
def run(here, tmp_path):
    """Run ``reidcore data split`` in a folder with a table of 12 identities."""
    rows = ["Path;Identity;camera;note"]
    for pid in range(12):
        for camera in "ab":
            for shot in range(2):
                path = f"images/{pid}{camera}{shot}.jpg"
                (tmp_path / path).parent.mkdir(exist_ok=True)
                (tmp_path / path).touch()
                rows.append(f"{path};{pid};{camera};'seen; twice'".replace("'", '"'))
    (tmp_path / "labels.csv").write_text("\n".join(rows) + "\n")
    return partial(here, "data", "split")


def test_a_table_gets_a_column_that_the_dataset_reads(run, tmp_path):
    code, out, _ = run(tmp_path)
    assert code == 0
    lines = (tmp_path / "labels.csv").read_text().splitlines()
    assert lines[0] == "Path;Identity;camera;note;split"
    assert lines[1].startswith('images/0a0.jpg;0;a;"seen; twice";')
    assert "csv.pid=Identity csv.camid=camera test.protocol=market1501" in out
    options = {"file": "labels.csv", "pid": "Identity", "camid": "camera"}
    tested = init_image_dataset("csv", root=tmp_path, **options)
    validated = init_image_dataset("csv", root=tmp_path, validation=True, **options)
    assert (tested.num_train_pids, len(tested.query), len(validated.query)) == (7, 6, 4)


def test_another_split_takes_the_place_of_the_first(run, tmp_path):
    run(tmp_path)
    first = (tmp_path / "labels.csv").read_text()
    code, out, _ = run(tmp_path, "--seed", 1, "--json")
    record = json.loads(out)
    second = (tmp_path / "labels.csv").read_text()
    assert code == 0
    assert second != first
    assert second.splitlines()[0].count("split") == 1
    assert record == json.loads((tmp_path / "labels.split.json").read_text())
    assert record["seed"] == 1


def test_only_rows_of_a_value_are_used(run, tmp_path):
    code, out, _ = run(tmp_path, "--only", "camera=a", "--json")
    record = json.loads(out)
    assert code == 0
    assert record["protocol"] == "any_camera"
    assert record["splits"]["unused"] == {"ids": 0, "images": 24, "cameras": 1}
    rows = [row.split(";") for row in (tmp_path / "labels.csv").read_text().splitlines()[1:]]
    assert {row[2] for row in rows if row[-1] == "unused"} == {"b"}


def test_a_table_written_elsewhere_has_whole_paths(run, tmp_path):
    (tmp_path / "below").mkdir()
    before = (tmp_path / "labels.csv").read_bytes()
    code, out, _ = run("labels.csv", "-o", "below/split.csv")
    assert (code, (tmp_path / "labels.csv").read_bytes()) == (0, before)
    assert "below/split.csv" in out
    assert (tmp_path / "below/split.csv").read_text().splitlines()[1].startswith(str(tmp_path))
    (tmp_path / "images/0a0.jpg").unlink()
    code, _, err = run("labels.csv", "-o", "below/split.csv")
    assert code == 2
    assert "there is no image" in err


def test_the_next_command_is_named_where_there_is_one_and_nobody_knows_it(run, monkeypatch):
    assert "Next:\n  reidcore run quickstart" in run("labels.csv")[1]
    monkeypatch.setenv("REIDCORE_STEP", "1")
    assert "Next:" not in run("labels.csv")[1]


@pytest.mark.parametrize(("ids", "left"), [(1, "0 identities"), (3, "1 identity")])
def test_a_training_that_has_nobody_to_tell_apart_is_not_proposed(run, tmp_path, ids, left):
    table = tmp_path / "labels.csv"
    head, *rows = table.read_text().splitlines()
    table.write_text("\n".join([head, *rows[: 4 * ids]]))
    code, out, _ = run(table)
    assert code == 0
    assert f"{left} to learn from, and a training needs 2: give more" in out
    assert "one test identity alone: any ranking of it is right" in out
    assert "Next:" not in out


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["nowhere"], "there is no table 'nowhere'"),
        (["images"], "reidcore data import images DEST"),
        (["labels.csv", "--by", "notes"], "Did you mean 'note'?"),
        (["labels.csv", "--only", "note"], "no COLUMN=VALUE"),
        (["labels.csv", "--only", "camera=c"], "no row with camera=c. It has a, b"),
        (["labels.csv", "--pid", "who"], "no column 'who'"),
        (["labels.csv", "--train-share", "0.9", "--val-share", "0.1"], "nobody to test on"),
    ],
)
def test_what_cannot_be_split_is_told_and_the_table_stays(run, tmp_path, words, told):
    before = (tmp_path / "labels.csv").read_bytes()
    code, _, err = run(*words)
    assert code == 2
    assert told in err
    assert (tmp_path / "labels.csv").read_bytes() == before
