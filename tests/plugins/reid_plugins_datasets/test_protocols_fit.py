"""The evaluation protocol that each benchmark is for takes what its reader hands over."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

from reidcore.data import SampleTable, card_of, read_tables
from reidcore.evaluation import FeatureDistances, Labels, evaluate
from reidcore.registry import choose, entries, find
from tests.plugins.reid_plugins_datasets.small_trees import TREES, plant

# Dataset -> protocol, its options, and those of the dataset.
FITTING: dict[str, tuple[str, dict[str, Any], dict[str, Any]]] = {
    "ltcc": ("clothes", {"mode": "cc"}, {}),
    "prcc": ("prcc", {}, {"query": "changed"}),
    "vc_clothes": ("clothes", {}, {}),
    "deepchange": ("clothes", {}, {}),
    "ccvid": ("clothes", {}, {}),
    "vehicleid": ("vehicleid", {"draws": 3}, {"draw": "protocol"}),
    "veri": ("veri", {"to": "track"}, {}),
    "veriwild": ("veriwild", {}, {}),
    "occluded_duke": ("occluded", {}, {}),
    "occluded_reid": ("occluded", {}, {}),
    "partial_reid": ("partial", {}, {}),
    "sysu_mm01": ("sysu_mm01", {"trials": 2}, {}),
    "regdb": ("regdb", {}, {"direction": "visible_to_thermal"}),
    "university1652": ("university1652", {}, {}),
    "soccernet_reid": ("soccernet", {}, {}),
    "wildlife": ("wildlife", {}, {"split": "time_proportion"}),
    "mars": ("video", {}, {}),
}


@pytest.mark.parametrize("dataset", FITTING)
def test_a_perfect_model_finds_everybody(dataset, planted, tmp_path):
    protocol, options, own = FITTING[dataset]
    if dataset == "mars":
        pytest.importorskip("scipy")
    root = plant(tmp_path, dataset) if dataset in TREES else planted(dataset).root
    _, query, gallery = map(SampleTable.of, read_tables(choose("datasets", dataset, own), root))
    # Features tell identities, and nothing else, apart.
    known = np.unique(np.concatenate([query.pids, gallery.pids]))
    corners = np.eye(len(known), dtype=np.float32)
    sides = [corners[np.searchsorted(known, table.pids)] for table in (query, gallery)]
    labels = Labels.from_samples(query, gallery)
    result = evaluate(
        FeatureDistances(*sides, "euclidean"), labels, choose("protocols", protocol, options).make()
    )
    assert result.num_valid > 0
    assert result.mAP == pytest.approx(1)


def test_cards_name_protocols_that_there_are():
    known = {entry.name for entry in entries("protocols")}
    named = {
        protocol
        for entry in entries("datasets")
        if (card := card_of(entry.load()))
        for protocol in re.findall(r"test\.protocol=(\w+)", card.protocol)
    }
    assert named <= known
    assert {protocol for protocol, *_ in FITTING.values()} <= named


@pytest.mark.parametrize("dataset", [name for name, (fit, *_) in FITTING.items() if fit == name])
def test_options_of_one_section_are_the_datasets_or_the_protocols(dataset):
    # ``vehicleid: {...}`` is the section of both: a key of both must mean the same to them.
    of_protocol, of_dataset = (
        set(find(kind, dataset).parameters()) for kind in ("protocols", "datasets")
    )
    assert of_protocol & of_dataset <= {"direction"}
