"""The steps of the data, by what it is."""

from __future__ import annotations

import pytest
from reid_plugins_start.context import Context, Wishes
from reid_plugins_start.data_steps import check_step, split_step
from reid_plugins_start.folders import Place
from reid_plugins_start.journal import Journal
from reid_plugins_start.source import open_source

from reidcore.plugins import make_plugins


@pytest.fixture
def road(tmp_path):
    """Return a function that begins a road from a table of 30 cars and 10 vans."""

    def begin(*splits, class_name=""):
        classes = ["car"] * 30 + ["van"] * 10
        rows = [
            f"{number}.jpg,{number},{each},{splits[number % len(splits)]}"
            for number, each in enumerate(classes)
        ]
        file = tmp_path / "labels.csv"
        file.write_text("\n".join(["path,pid,class,split", *rows]))
        place = Place(tmp_path / "out")
        with make_plugins() as plugins:
            wishes, journal = Wishes(class_name), Journal(place.journal)
            return Context(open_source(file, class_name), place, wishes, journal, plugins)

    return begin


def test_the_identities_of_the_wanted_class_alone_are_shared_out(road):
    assert "10 of 40 identities" in split_step(road("train")).title
    assert "10 of 30 identities" in split_step(road("train", class_name="car")).title
    assert "10 identities: too few" in split_step(road("train", class_name="van")).title


def test_a_shell_makes_the_folder_that_no_command_has_made_before(road, tmp_path):
    check = check_step(road("train"))
    assert check.shown().startswith("reidcore data check --csv ")
    split_already = check_step(road("train", "query", "gallery"))
    assert split_already.shown().startswith(f"mkdir -p {tmp_path / 'out'} && reidcore data check")
