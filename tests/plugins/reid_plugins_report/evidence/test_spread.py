from __future__ import annotations

import numpy as np
from reid_plugins_report.evidence.pairs import listen
from reid_plugins_report.evidence.spread import SpreadOf

from reidcore.evaluation import Labels, MatrixDistances, SameIdentity

LABELS = Labels([0, 1], [0, 0, 1, 2, 1], [0, 0], [0, 1, 1, 1, 1])
# Query 0 ignores item 0, its own camera's; its match is item 1. Query 1 has items 2 and 4.
MATRIX = np.array([[0.0, 0.25, 0.5, 0.75, 1.0], [0.5, 0.75, 0.25, 1.0, np.inf]])


def test_each_pair_that_counts_is_in_the_bin_of_its_distance() -> None:
    counted = SpreadOf()
    listen(MatrixDistances(MATRIX), SameIdentity(LABELS), [counted])
    found = counted.done()
    assert len(found.edges) == len(found.matches) + 1
    assert np.all(np.diff(found.edges) > 0)
    matches, others = [0.25, 0.25], [0.5, 0.5, 0.75, 0.75, 1.0, 1.0]
    for value in (0.25, 0.5, 0.75, 1.0):
        place = np.searchsorted(found.edges, value + 1e-9) - 1
        assert found.matches[place] == matches.count(value)
        assert found.nonmatches[place] == others.count(value)
    assert found.matches.sum() == 3  # the infinite one is in the last bin
    assert found.matches[-1] == 1
    assert found.nonmatches.sum() == 6


def test_blocks_do_not_matter_but_for_the_ends_of_the_bins() -> None:
    lots = np.random.default_rng(0)
    matrix = lots.random((40, 30))
    pids, camids = lots.integers(0, 5, 70), lots.integers(0, 3, 70)
    labels = Labels(pids[:40], pids[40:], camids[:40], camids[40:])
    relations = SameIdentity(labels)
    whole, parts = SpreadOf(), SpreadOf()
    listen(MatrixDistances(matrix), relations, [whole])
    for start, block in MatrixDistances(matrix).blocks(rows=7):
        parts.add(start, block, relations.rows(start, start + len(block)))
    same = (pids[:40, None] == pids[40:]) & (camids[:40, None] != camids[40:])
    other = pids[:40, None] != pids[40:]
    for found in (whole.done(), parts.done()):
        for threshold in (0.2, 0.5, 0.9):
            edge = found.edges[np.searchsorted(found.edges, threshold)]
            below = found.edges[1:] <= edge + 1e-12
            assert found.matches[below].sum() == (matrix < edge)[same].sum()
            assert found.nonmatches[below].sum() == (matrix < edge)[other].sum()


def test_equal_distances_have_a_bin() -> None:
    counted = SpreadOf()
    listen(MatrixDistances(np.full((2, 5), 3.0)), SameIdentity(LABELS), [counted])
    found = counted.done()
    assert (found.matches.tolist(), found.nonmatches.tolist()) == ([3], [6])
    assert found.edges[0] <= 3 < found.edges[1]
