"""What a run leaves in its folder for a report."""

from __future__ import annotations

import logging
from dataclasses import replace

import numpy as np
import pytest
from reid_plugins_report.evidence import (
    Attention,
    Cameras,
    Curves,
    Embeddings,
    LookAlikes,
    Queries,
    Rankings,
    Slices,
    Spread,
    gather,
    read_evidence,
)
from reid_plugins_runs.per_query import read_per_query

from reidcore.errors import UserError
from reidcore.evaluation import Labels, MatrixDistances, evaluate
from reidcore.testing import tiny_run
from reidcore.utils import read_json


def test_reid_target_tested_keeps_all_parts(tested_folder) -> None:
    evidence = read_evidence(tested_folder / "report_tiny.npz")
    kinds = (Queries, Curves, Spread, Rankings, LookAlikes, Slices, Embeddings, Attention, Cameras)
    assert [kind for kind in kinds if evidence.part(kind) is None] == []
    figures = read_json(tested_folder / "results.json")["targets"]["tiny"]
    assert np.nanmean(evidence.part(Queries).ap) == pytest.approx(figures["mAP"])
    assert evidence.part(Curves).cmc[0] == pytest.approx(figures["rank1"])
    rankings = evidence.part(Rankings)
    assert np.all(np.diff(rankings.ap) >= 0)
    assert np.all(np.diff(rankings.distance) >= -1e-12)
    assert evidence.part(Attention).heat.shape[1:] == (32, 16)
    assert evidence.facts["test_only"] is False
    size = (tested_folder / "report_tiny.npz").stat().st_size
    assert size < 200_000


def test_a_gallery_of_one_camera_is_easier_than_the_whole(tested_folder) -> None:
    """Its non-matches are some of all; the matches of two cameras are all by the other one."""
    cameras = read_evidence(tested_folder / "report_tiny.npz").part(Cameras)
    found = read_per_query(tested_folder / "per_query.npz")["tiny"]
    assert cameras.count.tolist() == [[0, 12], [12, 0]]
    for camera, (row, column) in enumerate([(0, 1), (1, 0)]):
        own = found.camids == np.unique(found.camids)[camera]
        assert cameras.mAP[row, column] >= found.ap[own].mean() - 1e-12
        hits = 12 * cameras.rank1[row, column]
        assert hits == pytest.approx(round(hits))
        assert hits >= found.contributions["rank1"][own].sum() - 1e-12
    assert not np.array_equal(cameras.mAP, cameras.rank1, equal_nan=True)


def test_it_is_switched_off(tmp_path) -> None:
    tiny_run(save_dir=tmp_path, overrides=["settings.report.enabled=false"])
    assert list(tmp_path.glob("report_*")) == []


def test_a_part_that_fails_costs_nothing_else(tmp_path, monkeypatch, caplog) -> None:
    monkeypatch.setattr(gather, "slices_of", lambda *given: 1 / 0)
    with caplog.at_level(logging.WARNING, "reidcore"):
        result = tiny_run(save_dir=tmp_path).result
    assert result["finished"]
    assert "The report of tiny lacks slices: ZeroDivisionError" in caplog.text
    evidence = read_evidence(tmp_path / "report_tiny.npz")
    assert evidence.part(Slices) is None
    assert evidence.part(Attention) is not None


def test_a_model_without_feature_maps_is_no_mistake(tmp_path, monkeypatch, caplog) -> None:
    def refuse(*given):
        raise UserError("Net gives no feature maps", "Subclass ReidModel.")

    monkeypatch.setattr(gather, "attention_of", refuse)
    with caplog.at_level(logging.INFO, "reidcore"):
        tiny_run(save_dir=tmp_path)
    (told,) = [record for record in caplog.records if "activation maps" in record.message]
    assert told.levelname == "INFO"
    assert told.message == "The report of tiny has no activation maps: Net gives no feature maps"


def test_a_folder_that_cannot_be_written_costs_no_result(tmp_path, monkeypatch, caplog) -> None:
    (tmp_path / "report_tiny.npz").mkdir()
    with caplog.at_level(logging.WARNING, "reidcore"):
        assert tiny_run(save_dir=tmp_path).result["targets"]["tiny"]["mAP"] > 0
    assert "No evidence for a report of tiny" in caplog.text


def test_a_protocol_that_does_not_say_what_matches(tmp_path) -> None:
    tiny_run(save_dir=tmp_path, overrides=["test.protocol=cuhk03"])
    evidence = read_evidence(tmp_path / "report_tiny.npz")
    assert evidence.part(Spread).matches.sum() > 0


@pytest.mark.parametrize(
    ("added", "shares"),
    [
        (None, [1.0, 0.0]),
        ([0.75, 0.0], [0.75, 0.0]),
        ([0.5, np.nan], [0.5, np.nan]),
        # Of draws that leave queries out: what each adds to their mean.
        ([1.5, 0.25], [np.nan, np.nan]),
        ([0.5, -0.25], [np.nan, np.nan]),
    ],
)
def test_what_is_no_share_of_rank_1_is_no_figure_of_a_slice(added, shares) -> None:
    labels = Labels([1, 2], [1, 2, 3], [0, 0], [1, 1, 1])
    result = evaluate(MatrixDistances([[0.0, 1, 2], [1, 2, 0]]), labels)
    if added is not None:
        result = replace(result, per_query={"rank1": np.array(added)})
    np.testing.assert_array_equal(gather._rank1(result), shares)
