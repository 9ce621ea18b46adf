"""Protocols in a run: their options, the columns of the tables, and groups in what is recorded."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from reidcore import hookimpl
from reidcore.data import SampleTable, Splits, from_folders
from reidcore.errors import UserError
from reidcore.testing import fake_dataset, tiny_run


class Dressed:
    """Brings ``dressed``: each camera saw other clothes, and has a track of two frames.

    ``played`` has the same images, of which those of odd identities are of one action.
    """

    @hookimpl
    def reid_register_datasets(self, registry):
        registry.add("dressed", self.dressed)
        registry.add("played", self.played)

    @staticmethod
    def dressed(root):
        def columns(table):
            clothes = table.pids * 10 + table.camids
            return {"clothes": clothes, "track": np.zeros_like(clothes)}

        return with_columns(root, columns)

    @staticmethod
    def played(root):
        return with_columns(root, lambda table: {"action": table.pids % 2})


def with_columns(root, columns):
    tables = map(SampleTable.of, from_folders(f"{root}/dressed"))
    return Splits(*(replace(table, columns=columns(table)) for table in tables))


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data")
    fake_dataset(folder / "dressed", ids=3)
    return folder


@pytest.fixture
def target(root, tmp_path):
    def target(*overrides, dataset="dressed"):
        run = tiny_run(
            Dressed(),
            save_dir=tmp_path,
            root=root,
            dataset=dataset,
            overrides=["test.evaluate=true", "test.visrank=true", *overrides],
        )
        json.dumps(run.result["targets"])
        return run.result["targets"][dataset]

    return target


def test_a_mode_is_an_option_and_the_others_are_figures(target):
    found = target("test.protocol=clothes", "clothes.mode=cc")
    assert found["conditions"]["mode"] == "cc"
    assert found["figures"]["standard_mAP"] == pytest.approx(found["mAP"])
    assert "sc_mAP" not in found["figures"]  # nobody is seen twice in the same clothes
    assert found["intervals"].keys() >= {"mAP", "rank1", "standard_mAP", "standard_rank1"}


@pytest.mark.parametrize(
    ("overrides", "told"),
    [
        (
            ["test.protocol=market1501_multi"],
            {"query": "average of a camera's unit features of a person"},
        ),
        (
            ["test.protocol=video", "video.pooling_method=max"],
            {"tracklets": "rows of one track pooled (maximum)"},
        ),
        (["test.protocol=video"], {"tracklets": "rows of one track pooled (average)"}),
    ],
)
def test_groups_are_what_is_recorded(target, overrides, told):
    """Three people before two cameras, with two images each on either side."""
    found = target(*overrides)
    assert found["num_valid_queries"] == 6
    assert found["num_skipped_queries"] == 0
    assert found["conditions"].items() >= told.items()


def test_pictures_show_candidates_alone(target, tmp_path):
    """Of three people one is alone in an action, whose four gallery images are all right."""
    found = target("test.protocol=soccernet", dataset="played")
    assert found["num_valid_queries"] == 12
    assert found["conditions"]["gallery"] == "the query's action"
    assert (tmp_path / "visrank_played" / "overview.jpg").is_file()


def test_tables_without_a_column_are_told_with_the_protocol(target):
    with pytest.raises(UserError, match="SoccerNet needs the column 'action'"):
        target("test.protocol=soccernet")
