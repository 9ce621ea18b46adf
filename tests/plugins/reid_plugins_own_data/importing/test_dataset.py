"""A source becomes a dataset on disk."""

from __future__ import annotations

import csv
import json
from contextlib import contextmanager
from pathlib import Path

import pytest
from reid_plugins_own_data import Crop
from reid_plugins_own_data.importing import Selection, Wishes, choose_importer, import_dataset
from reid_plugins_own_data.importing.dataset import check_target

from reidcore import data
from reidcore.errors import DataError, PluginDefectError
from reidcore.plugins import make_plugins


def run(source, target, overwrite=False, **wishes):
    with make_plugins() as plugins:
        options = wishes.pop("options", {})
        chosen = choose_importer(source, "", options, plugins)
        wanted = Wishes(options, **wishes)
        return import_dataset(source, target, chosen, wanted, overwrite=overwrite)


def table(folder: Path) -> list[dict[str, str]]:
    with (folder / "labels.csv").open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture
def people(draw):
    return draw([f"{pid}/cam{cam}/{n}.jpg" for pid in "21" for cam in (1, 2) for n in range(2)])


def test_files_are_taken_as_they_are_and_read_by_the_dataset_csv(people, tmp_path) -> None:
    imported = run(people, tmp_path / "mine")
    rows = table(imported.folder)
    assert rows[0] == {"path": "images/1/1_0.jpg", "pid": "1", "camid": "1", "split": "train"}
    assert [row["pid"] for row in rows] == [*"11112222"]
    copied, original = imported.folder / "images/2/2_1.jpg", people / "2/cam2/1.jpg"
    assert copied.read_bytes() == original.read_bytes()
    assert not copied.samefile(original)
    read = data.init_image_dataset("csv", root=str(imported.folder), file="labels.csv")
    assert (len(read.train), read.num_train_pids, read.num_train_cams) == (8, 2, 2)


def test_the_record_says_what_was_made_of_what(people, tmp_path) -> None:
    (people / "1/cam1/notes.txt").write_text("")
    folder = run(people, tmp_path / "mine", camera="north").folder
    record = json.loads((folder / "import.json").read_text())
    assert (record["source"], record["format"]) == (str(people), "folders")
    assert record["options"]["camera"] == "north"
    assert record["counts"] == {
        "identities": 2,
        "images": 8,
        "cameras": 1,
        "identities_of_one_image": 0,
    }
    (left_out,) = record["left_out"]
    assert (left_out["count"], left_out["what"]) == (1, "files")
    assert {row["camid"] for row in table(folder)} == {"north"}


def test_links_share_the_files(people, tmp_path) -> None:
    folder = run(people, tmp_path / "mine", links=True).folder
    assert (folder / "images/1/1_0.jpg").samefile(people / "1/cam1/0.jpg")


def test_without_cameras_there_is_no_column_of_them(draw, tmp_path) -> None:
    folder = run(draw(["anna/1.jpg", "ben/1.jpg", "ben/2.jpg"]), tmp_path / "mine").folder
    assert [*table(folder)[0]] == ["path", "pid", "split"]


def test_names_that_differ_in_capitals_or_odd_characters_keep_files_apart(draw, tmp_path) -> None:
    names = ["Anna/a b.jpg", "anna/a-b.jpg", "anna/A-B.jpg", ".x/1.jpg", "é%/1.jpg"]
    folder = run(draw(names), tmp_path / "mine").folder
    assert [(row["pid"], row["path"]) for row in table(folder)] == [
        ("Anna", "images/Anna/a-b.jpg"),
        ("anna", "images/anna_2/A-B.jpg"),
        ("anna", "images/anna_2/a-b_2.jpg"),
        ("é%", "images/é/1.jpg"),
    ]


def test_a_folder_that_holds_something_is_left_alone(people, tmp_path) -> None:
    target = tmp_path / "mine"
    target.mkdir()
    (target / "thesis.tex").write_text("")
    for overwrite in (False, True):
        with pytest.raises(DataError, match="is there, and is no imported dataset"):
            run(people, target, overwrite)
    assert [path.name for path in target.iterdir()] == ["thesis.tex"]


def test_an_earlier_import_is_replaced_when_it_is_asked_for(people, tmp_path) -> None:
    target = run(people, tmp_path / "mine").folder
    with pytest.raises(DataError, match="replace it: --overwrite"):
        run(people, target)
    (people / "1/cam1/0.jpg").unlink()
    run(people, target, overwrite=True)
    assert len(table(target)) == len([*target.rglob("*.jpg")]) == 7
    assert sorted(path.name for path in tmp_path.iterdir()) == ["mine", "source"]


def test_an_import_that_fails_leaves_an_earlier_one_and_nothing_else(people, tmp_path) -> None:
    target = run(people, tmp_path / "mine").folder
    with pytest.raises(DataError, match=r"is left to import: 8 crops left out .smaller"):
        run(people, target, overwrite=True, selection=Selection(min_size=(99, 99)))
    assert len(table(target)) == 8
    assert sorted(path.name for path in tmp_path.iterdir()) == ["mine", "source"]


@pytest.mark.parametrize(("source", "target"), [("", "in"), ("1", ""), ("", "")])
def test_source_and_target_never_lie_in_one_another(people, source, target) -> None:
    with pytest.raises(DataError, match="lie in one another"):
        check_target(people / source, people / target, overwrite=True)


def test_an_import_that_is_interrupted_leaves_nothing(people, tmp_path) -> None:
    @contextmanager
    def interrupted(total: int):
        assert total == 8
        yield interrupt

    def interrupt(count: int) -> None:
        raise KeyboardInterrupt

    with make_plugins() as plugins:
        chosen = choose_importer(people, "", {}, plugins)
        with pytest.raises(KeyboardInterrupt):
            import_dataset(people, tmp_path / "mine", chosen, Wishes(), progress=interrupted)
    assert [path.name for path in tmp_path.iterdir()] == ["source"]


def test_long_names_are_cut_and_stay_apart(draw, tmp_path) -> None:
    names = [f"{'é' * 90}{end}/{'x' * 90}{n}.jpg" for end in "ab" for n in (1, 2)]
    rows = table(run(draw(names), tmp_path / "mine").folder)
    assert len({row["path"] for row in rows}) == 4
    assert all(len(part.encode()) < 255 for row in rows for part in row["path"].split("/"))
    assert all((tmp_path / "mine" / row["path"]).is_file() for row in rows)


class Locked:
    """An importer whose source may not be read, or that gives something else than crops."""

    def __init__(self, gives: object) -> None:
        self.gives = gives

    def crops(self, source):
        if isinstance(self.gives, Exception):
            raise self.gives
        yield self.gives


@pytest.mark.parametrize(
    ("gives", "error", "told"),
    [
        (PermissionError(13, "Permission denied", "x.json"), DataError, "cannot read 'x.json': P"),
        ("a.jpg", PluginDefectError, "it must give a Crop of each picture"),
        (Crop(Path("a.jpg"), pid=7), PluginDefectError, "text as a Crop's pid"),
    ],
)
def test_what_an_importer_may_not_give_is_told(people, tmp_path, gives, error, told) -> None:
    with make_plugins() as plugins:
        chosen = choose_importer(people, "", {}, plugins)._replace(importer=Locked(gives))
        with pytest.raises(error, match=told):
            import_dataset(people, tmp_path / "mine", chosen, Wishes())
    assert [path.name for path in tmp_path.iterdir()] == ["source"]
