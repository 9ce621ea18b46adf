"""The table of a dataset."""

from __future__ import annotations

from pathlib import Path

from reid_plugins_own_data import Crop
from reid_plugins_own_data.importing.table import Row, counts_of, write_table


def row(pid: str, camid: str = "", **fields) -> Row:
    return Row(f"images/{pid}/1.jpg", pid, camid, Crop(Path("a.jpg"), pid, **fields))


def written(rows, folder) -> list[str]:
    write_table(rows, folder / "labels.csv")
    return (folder / "labels.csv").read_text().splitlines()


def test_rows_come_in_the_order_of_numbers(tmp_path) -> None:
    lines = written([row("10"), row("2"), row("car-10"), row("car-9")], tmp_path)
    assert [line.split(",")[1] for line in lines] == ["pid", "2", "10", "car-9", "car-10"]


def test_columns_that_say_nothing_are_not_written(tmp_path) -> None:
    rows = [row("1", frame=0, visibility=0.25), row("2", "north", track="7")]
    assert written(rows, tmp_path) == [
        "path,pid,camid,split,frame,track,visibility",
        "images/1/1.jpg,1,,train,0,,0.25",
        "images/2/1.jpg,2,north,train,,7,",
    ]


def test_attributes_never_take_the_place_of_a_column(tmp_path) -> None:
    further = {"pid": "x", "frame": "y", "colour": "red"}
    lines = written([row("1", frame=3, split="query", further=further)], tmp_path)
    assert lines == [
        "path,pid,split,frame,pid_,frame_,colour",
        "images/1/1.jpg,1,query,3,x,y,red",
    ]


def test_names_that_are_no_text_become_escapes(tmp_path) -> None:
    assert written([row("caf\udce9")], tmp_path)[1].split(",")[1] == r"caf\udce9"


def test_counts_are_of_all_and_of_each_class() -> None:
    rows = [row("1", "a", category="car"), row("1", "b", category="car"), row("2", "a")]
    counts = counts_of(rows)
    assert counts["identities"] == 2
    assert counts["identities_of_one_image"] == 1
    assert counts["classes"]["car"]["cameras"] == 2
    assert counts["classes"][""]["images"] == 1
    assert "splits" not in counts
