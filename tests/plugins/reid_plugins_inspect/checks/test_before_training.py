"""What a run finds out about its images before it trains."""

from __future__ import annotations

from argparse import Namespace
from itertools import chain, repeat
from pathlib import Path
from typing import Any

import pytest
from reid_plugins_inspect.checks import before_training

from reidcore import hookimpl
from reidcore.data import VIEWER, ImageDataset, from_folders
from reidcore.errors import DataError
from reidcore.testing import fake_dataset, tiny_run

SKIP, NONE = "data.on_bad_image=skip", "data.check_images=none"


@pytest.fixture
def people(tmp_path: Path) -> Path:
    fake_dataset(tmp_path / "data" / "tiny")
    return tmp_path / "data" / "tiny"


def first_of(people: Path, split: str) -> Path:
    return sorted((people / split).iterdir())[0]


def cut(file: Path) -> Path:
    file.write_bytes(file.read_bytes()[:60])
    return file


def run(people: Path, *overrides: str, plugins: tuple[Any, ...] = ()) -> Any:
    log = people.parents[1] / "log"
    return tiny_run(*plugins, save_dir=log, root=people.parent, overrides=overrides)


@pytest.mark.parametrize("split", ["query", "gallery"])
def test_a_bad_image_is_told_before_the_training(people: Path, split: str) -> None:
    bad = cut(first_of(people, split))
    with pytest.raises(DataError) as caught:
        run(people)
    assert str(bad) in str(caught.value)
    assert "data.check_images=none" in str(caught.value)
    assert not list((people.parents[1] / "log").glob("model*"))


def test_it_is_left_out_if_the_run_says_so(people: Path, caplog) -> None:
    bad = cut(first_of(people, "gallery"))
    result = run(people, SKIP).result
    assert f"will be left out: '{bad}" in caplog.text
    assert result["targets"]["tiny"]["num_skipped_images"] == 1


def test_of_a_split_something_must_be_left(people: Path) -> None:
    for file in (people / "query").iterdir():
        cut(file)
    with pytest.raises(DataError, match="the query of tiny is empty: 24 of its images"):
        run(people, SKIP)


def test_found_later_it_is_told_how_to_test_alone(people: Path, caplog) -> None:
    caplog.set_level("INFO")
    cut(first_of(people, "gallery"))
    with pytest.raises(DataError):
        run(people, NONE)
    checkpoint = people.parents[1] / "log" / "model.pth.tar-1"
    assert checkpoint.is_file()
    assert f"To test it alone: reidcore test {checkpoint}" in caplog.text


def test_training_images_are_decoded_only_on_demand(people: Path) -> None:
    bad = cut(first_of(people, "train"))
    with pytest.raises(DataError, match="images cannot be read") as caught:
        run(people, "data.check_images=all")
    assert str(bad) in str(caught.value)


def test_training_images_that_are_not_there_are_told(people: Path) -> None:
    gone = str(first_of(people, "train"))

    class Listed:
        @hookimpl
        def reid_register_datasets(self, registry: Any) -> None:
            def listed(root: Path) -> Any:
                splits = from_folders(people)
                return [[(f"{gone}.jpg", 1, 0), *splits.train], splits.query, splits.gallery]

            registry.add("listed", listed)

    with pytest.raises(DataError, match=r"\.jpg \(it is not there\)"):
        run(people, "data.sources=listed", plugins=(Listed(),))


def test_a_dataset_that_reads_in_its_own_way_is_left_alone(people: Path) -> None:
    class Packed(ImageDataset):
        def __init__(self, root: str = "", **more: Any) -> None:
            def packed(split: str) -> list[tuple[str, int, int]]:
                return [(f"pack/{s[0]}", s[1], s[2]) for s in getattr(splits, split)]

            splits = from_folders(people)
            super().__init__(*map(packed, ("train", "query", "gallery")), **more)

        def __getitem__(self, index: int) -> Any:
            from reidcore.data import Sample, read_image

            path, pid, camid, dsetid = Sample(*self.data[index])
            image = self.transform(read_image(str(path).removeprefix("pack/")))
            return {"img": image, "pid": pid, "camid": camid, "impath": path, "dsetid": dsetid}

    class Packs:
        @hookimpl
        def reid_register_datasets(self, registry: Any) -> None:
            registry.add("packed", Packed)

    overrides = ("data.sources=packed", "data.targets=packed", "data.check_images=all")
    assert run(people, *overrides, plugins=(Packs(),)).result["finished"]


@pytest.mark.parametrize(("now", "decoded", "opened"), [(31.0, 0, 0), (16.0, 0, 72), (1.0, 72, 0)])
def test_the_look_is_bounded_in_time(
    people: Path, caplog, monkeypatch, now: float, decoded: int, opened: int
) -> None:
    caplog.set_level("INFO")
    times = chain([0.0], repeat(now))
    monkeypatch.setattr(before_training.time, "monotonic", lambda: next(times))
    files = [str(file) for file in sorted(people.glob("*/*.png"))]
    bad = cut(first_of(people, "train"))  # of which the header alone is whole
    found = before_training._unreadable(files, VIEWER, 30.0)
    assert list(found) == ([str(bad)] if decoded else [])
    told = f"(30 s): of 72 images, {decoded} were decoded before the training, and of {opened} the"
    assert (told in caplog.text) == (decoded < 72)


def test_folders_are_looked_into_in_time(people: Path, caplog, monkeypatch) -> None:
    caplog.set_level("INFO")
    monkeypatch.setattr(before_training, "SECONDS", -1.0)
    cut(first_of(people, "query"))
    with pytest.raises(DataError):  # of the test itself
        run(people)
    assert "0 of 1 folder to learn from were looked into" in caplog.text
    assert "(-1 s): of 48 images, 0 were decoded" in caplog.text


def test_a_data_manager_with_options_of_its_own_is_left_alone(people: Path) -> None:
    class Managed:
        """A program's own data manager, whose options are a command line's."""

        def __init__(self, made: Any) -> None:
            self.made, self.options = made, Namespace(lr=0.1)

        def __getattr__(self, name: str) -> Any:
            return getattr(self.made, name)

    engine = run(people, "train.max_epoch=1").engine
    engine.datamanager = Managed(engine.datamanager)
    cut(first_of(people, "gallery"))
    before_training.check_images(engine)


def test_a_run_that_goes_on_has_had_its_images_looked_at(people: Path, caplog) -> None:
    first = run(people, "train.max_epoch=1", "test.eval_freq=-1")
    log = people.parents[1] / "log"
    bad = cut(first_of(people, "gallery"))
    caplog.clear()
    checkpoint = f"model.resume={log / 'model.pth.tar-1'}"
    with pytest.raises(DataError, match=str(bad)) as caught:
        run(people, checkpoint, "train.max_epoch=2")
    assert first.result["finished"]
    assert "data.check_images=none" not in str(caught.value)
    assert (log / "model.pth.tar-2").is_file()
