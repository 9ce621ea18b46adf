"""A query does not find its own file, whatever the protocol, the distances and the kernel."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from reidcore.data.table import SampleTable
from reidcore.errors import DataError
from reidcore.evaluation import (
    AnyCamera,
    Cuhk03,
    FeatureDistances,
    Labels,
    Market1501,
    MatrixDistances,
    RerankedDistances,
    equal_pairs,
    evaluate,
    without_own_files,
)
from reidcore.evaluation.matches import OwnFilesIgnored

QUERIES, GALLERY = 12, 40


def problem(seed: int) -> tuple[torch.Tensor, torch.Tensor, Labels]:
    """Features and labels; some gallery items are a query's file, under any identity and camera."""
    rng = np.random.default_rng(seed)
    labels = [rng.integers(0, high, n) for high in (5, 3) for n in (QUERIES, GALLERY)]
    query, gallery = (rng.integers(0, 3, (n, 4)).astype(np.float32) for n in (QUERIES, GALLERY))
    g_files = rng.permutation(GALLERY)
    g_files[rng.integers(0, GALLERY, 4)] = 0  # one file several times
    copied = np.flatnonzero(g_files < QUERIES // 2)
    gallery[copied] = query[g_files[copied]]
    files = np.arange(QUERIES), np.where(g_files < QUERIES // 2, g_files, 1000 + g_files)
    return (
        torch.from_numpy(query),
        torch.from_numpy(gallery),
        Labels(*labels, q_files=files[0], g_files=files[1]),
    )


KINDS = {
    "features": FeatureDistances,
    "matrix": lambda query, gallery: MatrixDistances(torch.cdist(query, gallery)),
    "re-ranked": lambda query, gallery: RerankedDistances.of_features(query, gallery, k1=6, k2=2),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("protocol", [Market1501(), AnyCamera(), Cuhk03()], ids=lambda p: type(p))
@pytest.mark.parametrize("seed", range(3))
def test_it_is_as_if_the_file_were_not_in_the_gallery(kernel, seed, protocol, kind) -> None:
    query, gallery, labels = problem(seed)
    distances = KINDS[kind](query, gallery)
    rows = np.concatenate([block for _, block in distances.blocks()])
    result = evaluate(distances, labels, protocol, max_rank=10)
    curves = []
    for number, row in enumerate(rows):
        others = labels.g_files != labels.q_files[number]
        sides = [labels.q_pids[[number]], labels.g_pids[others]]
        sides += [labels.q_camids[[number]], labels.g_camids[others]]
        try:
            alone = evaluate(row[None, others], Labels(*sides), protocol, max_rank=10)
        except DataError:
            assert not result.valid[number]
            continue
        curves.append(alone.cmc)
        assert (result.ap[number], result.first_rank[number]) == (alone.ap[0], alone.first_rank[0])
    np.testing.assert_allclose(result.cmc, np.mean(curves, axis=0))


def test_plain_arrays_are_ranked_as_they_were() -> None:
    query, gallery, labels = problem(0)
    plain = Labels(labels.q_pids, labels.g_pids, labels.q_camids, labels.g_camids)
    relations = AnyCamera().relations(plain)
    assert without_own_files(relations, plain) is relations
    distances = FeatureDistances(query, gallery)
    found, left_out = (evaluate(distances, some, AnyCamera()).mAP for some in (plain, labels))
    assert found != left_out


def test_what_the_rule_for_junk_ignores_is_left_to_it() -> None:
    labels = Labels([1, 2], [1, 2, 1], [0, 0], [0, 0, 1], q_files=[7, 8], g_files=[7, 8, 9])
    relations = Market1501().relations(labels)
    assert without_own_files(relations, labels) is relations
    left_out = without_own_files(AnyCamera().relations(labels), labels)
    assert isinstance(left_out, OwnFilesIgnored)
    assert (left_out.queries.tolist(), left_out.items.tolist()) == ([0, 1], [0, 1])


@pytest.mark.parametrize("block", [1, 3, 1000])
def test_spans_are_cut_out_of_the_whole(block, monkeypatch) -> None:
    monkeypatch.setattr("reidcore.evaluation.matches._BLOCK", block)
    *_, labels = problem(1)
    relations = without_own_files(Market1501().relations(labels), labels)
    whole, part = relations.rows(0, QUERIES), relations.rows(3, 8)
    span = slice(whole.first[3], whole.first[8])
    assert part.first.tolist() == (whole.first[3:9] - whole.first[3]).tolist()
    assert part.items.tolist() == whole.items[span].tolist()
    assert part.match.tolist() == whole.match[span].tolist()


def test_labels_of_tables_know_the_files(tmp_path: Path) -> None:
    (tmp_path / "q.jpg").touch()
    (tmp_path / "g.jpg").hardlink_to(tmp_path / "q.jpg")
    query = SampleTable.of([(str(tmp_path / "q.jpg"), 1, 0)])
    gallery = SampleTable.of([(str(tmp_path / name), 1, 1) for name in ("g.jpg", "other.jpg")])
    labels = Labels.from_samples(query, gallery)
    result = evaluate([[0.0, 1.0]], labels)
    assert result.first_rank.tolist() == [1]
    related = without_own_files(Market1501().relations(labels), labels).rows(0, 1)
    assert related.match.tolist() == [True, False]
    assert Labels.from_samples(list(query), list(gallery)).q_files is None


@pytest.mark.parametrize("protocol", [AnyCamera(), Cuhk03()], ids=lambda p: type(p).__name__)
def test_the_ranking_says_whose_own_files_it_left_out_and_looks_once(protocol, monkeypatch) -> None:
    g_pids, g_camids, g_files = [1, 1, 2, 1, 2], [0, 1, 1, 2, 3], [9, 7, 8, 7, 10]
    labels = Labels([1, 2], g_pids, [0, 0], g_camids, q_files=[7, 8], g_files=g_files)
    looks = []

    def counting(relations, labels):
        looks.append(labels)
        return without_own_files(relations, labels)

    for module in ("protocols", "cuhk03"):
        monkeypatch.setattr(f"reidcore.evaluation.{module}.without_own_files", counting)
    found = evaluate(np.arange(10.0).reshape(2, 5), labels, protocol)
    assert found.own_files.tolist() == [0, 0, 1]
    assert found.as_dict()["own_files"] == [0, 0, 1]
    assert len(looks) == 1
    plain = Labels(labels.q_pids, labels.g_pids, labels.q_camids, labels.g_camids)
    assert evaluate(np.zeros(plain.shape), plain, protocol).own_files.tolist() == []


def test_equal_pairs_are_all_pairs_of_equal_values() -> None:
    rng = np.random.default_rng(0)
    wanted, known = rng.integers(0, 5, 30), rng.integers(0, 5, 20)
    pairs = list(zip(*(side.tolist() for side in equal_pairs(wanted, known)), strict=True))
    assert sorted(pairs) == pairs
    assert pairs == [(q, g) for q in range(30) for g in range(20) if wanted[q] == known[g]]
