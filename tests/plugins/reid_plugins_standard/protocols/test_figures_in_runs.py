"""Protocols of draws, pairs and clusters in a run: options, figures, intervals and conditions."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from reidcore import hookimpl
from reidcore.data import SampleTable, from_folders
from reidcore.errors import UserError
from reidcore.testing import fake_dataset, tiny_run


class Infrared:
    """Brings ``infrared``: two cameras, of which the second is the infrared one of a pair."""

    @hookimpl
    def reid_register_datasets(self, registry):
        registry.add("infrared", self.read)

    @staticmethod
    def read(root):
        splits = from_folders(f"{root}/infrared")
        sides = {"train": (0, "visible"), "query": (2, "thermal"), "gallery": (3, "visible")}

        def seen(name, samples):
            camera, modality = sides[name]
            table = SampleTable.of(samples)
            columns = {
                "modality": np.full(len(table.pids), modality),
                "date": np.full(len(table.pids), "2020-01-02" if name == "query" else "2020-01-01"),
            }
            return replace(table, camids=np.full_like(table.camids, camera), columns=columns)

        return type(splits)(*(seen(name, each) for name, each in zip(sides, splits, strict=True)))


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data")
    fake_dataset(folder / "infrared", ids=4)
    return folder


@pytest.fixture
def target(root, tmp_path):
    def target(*overrides):
        run = tiny_run(
            Infrared(),
            save_dir=tmp_path,
            root=root,
            dataset="infrared",
            overrides=["test.evaluate=true", *overrides],
        )
        json.dumps(run.result["targets"])
        return run.result["targets"]["infrared"]

    return target


@pytest.mark.parametrize(
    ("overrides", "figures", "told"),
    [
        (
            ["sysu_mm01", "sysu_mm01.trials=3", "sysu_mm01.seed=2"],
            {"mAP_std", "rank1_std"},
            {"draws": 3, "seed": 2, "junk": "own room", "search": "all"},
        ),
        (["regdb", "regdb.direction=thermal_to_visible"], set(), {"junk": "none"}),
        (["university1652"], {"rank1%"}, {"ap": "trapezoid", "unmatched": "zero"}),
        (
            ["open_set", "open_set.share=0.25", "open_set.draws=2", "open_set.rank=2"],
            {"DIR@FAR=1%", "DIR2@FAR=10%", "DIR@FAR=1%_std"},
            {"draws": 2, "seed": 0, "left out": "25 % of identities"},
        ),
        (
            ["verification", "verification.cameras=any"],
            {"EER", "AUC", "TPR@FPR=1e-4", "FNMR@FMR=1e-1"},
            {"positive": "pairs of one identity"},
        ),
        (
            ["wildlife", "wildlife.setting=time_aware", "wildlife.threshold=0"],
            {"accuracy", "balanced accuracy", "BAKS"},
            {"setting": "time_aware", "threshold": 0, "unknown queries": 0},
        ),
        (
            ["discovery", "discovery.threshold=0.1"],
            {"ARI", "NMI", "false merges", "clusters", "identities", "ARI (true count)"},
            {"clustering": "average", "images": "all"},
        ),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else "",
)
def test_what_a_protocol_found_is_recorded(target, overrides, figures, told):
    protocol, *options = overrides
    found = target(f"test.protocol={protocol}", *options)
    assert found["figures"].keys() >= figures
    assert found["conditions"].items() >= told.items()
    assert found["intervals"].keys() >= {"mAP", "rank1"}


def test_what_cannot_be_evaluated_is_told_before_the_test(target):
    with pytest.raises(UserError, match=r"cannot read the permutations in 'missing\.mat'"):
        target("test.protocol=sysu_mm01", "sysu_mm01.permutations=missing.mat")
