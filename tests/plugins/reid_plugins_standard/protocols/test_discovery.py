from collections import Counter
from itertools import combinations
from math import log

import numpy as np
import pytest

from reidcore.errors import DataError, UserError
from reidcore.evaluation import FeatureDistances, Labels, MatrixDistances, evaluate

clusterings = pytest.importorskip("reid_plugins_standard.protocols.clusterings")
discovery = pytest.importorskip("reid_plugins_standard.protocols.discovery")


def entropy(sizes, count):
    return -sum(size / count * log(size / count) for size in sizes)


def agreement_by_definition(groups, identities):
    """Look at every pair of images."""
    kinds = Counter(
        (groups[one] == groups[two], identities[one] == identities[two])
        for one, two in combinations(range(len(groups)), 2)
    )
    both, merged = kinds[True, True], kinds[True, False]
    split, apart = kinds[False, True], kinds[False, False]
    halves = (both + merged) * (merged + apart) + (both + split) * (split + apart)
    sizes, seen = Counter(groups), Counter(identities)
    cells = Counter(zip(groups, identities, strict=True))
    count = len(groups)
    information = sum(
        size / count * log(count * size / (sizes[group] * seen[person]))
        for (group, person), size in cells.items()
    )
    entropies = entropy(sizes.values(), count) + entropy(seen.values(), count)
    return {
        "ARI": 2 * (both * apart - merged * split) / halves if halves else 1,
        "NMI": 2 * information / entropies if entropies else 1,
        "purity": sum(max(cells[group, person] for person in seen) for group in sizes) / count,
        "false merges": merged / (both + merged) if both + merged else 0,
        "false splits": split / (both + split) if both + split else 0,
        "mixed clusters": sum(
            sum(cells[group, person] > 0 for person in seen) > 1 for group in sizes
        )
        / len(sizes),
        "clusters": len(sizes),
    }


def test_agreement_is_as_defined():
    rng = np.random.default_rng(0)
    for _ in range(200):
        count, many = rng.integers(2, 15), rng.integers(1, 6, 2)
        groups, people = (rng.integers(0, high, count) for high in many)
        found = clusterings.agreement(groups, people)
        reference = agreement_by_definition(groups.tolist(), people.tolist())
        assert found == pytest.approx(reference, abs=1e-12)


def test_agreement_by_hand():
    """Groups {a, a, b} and {b}: of 6 pairs 1 is right together, 2 wrongly, 1 wrongly apart."""
    found = clusterings.agreement(np.array([0, 0, 0, 1]), np.array([7, 7, 9, 9]))
    assert found["ARI"] == pytest.approx((1 - 3 * 2 / 6) / (5 / 2 - 3 * 2 / 6))
    assert found["purity"] == 3 / 4
    assert found["false merges"] == pytest.approx(2 / 3)
    assert found["false splits"] == 1 / 2
    assert found["mixed clusters"] == 1 / 2
    assert found["clusters"] == 2
    perfect = clusterings.agreement(np.array([5, 5, 2]), np.array([1, 1, 3]))
    assert (perfect["ARI"], perfect["NMI"], perfect["false merges"]) == (1, 1, 0)


def components_by_definition(matrix, threshold):
    group = list(range(len(matrix)))
    for _ in matrix:
        for one, two in combinations(range(len(matrix)), 2):
            if matrix[one, two] <= threshold:
                lower, upper = sorted((group[one], group[two]))
                group = [lower if each == upper else each for each in group]
    return group


def average_linkage_by_definition(matrix, threshold):
    groups = [[image] for image in range(len(matrix))]
    while len(groups) > 1:
        far, one, two = min(
            (np.mean([matrix[a, b] for a in groups[one] for b in groups[two]]), one, two)
            for one, two in combinations(range(len(groups)), 2)
        )
        if far > threshold:
            break
        groups = [g for i, g in enumerate(groups) if i not in (one, two)] + [
            groups[one] + groups[two]
        ]
    return {frozenset(group) for group in groups}


def members(groups):
    return {frozenset(np.flatnonzero(groups == each).tolist()) for each in np.unique(groups)}


def test_groups_are_as_defined():
    rng = np.random.default_rng(1)
    for _ in range(60):
        count = rng.integers(2, 12)
        matrix = rng.integers(0, 20, (count, count)).astype(np.float64)
        matrix = np.triu(matrix, 1) + np.triu(matrix, 1).T
        found = clusterings.components(MatrixDistances(matrix), 4)
        assert members(found) == members(np.array(components_by_definition(matrix, 4)))
        matrix += 1e-3 * np.abs(np.subtract.outer(*[rng.random(count)] * 2))  # which merge is first
        merges = clusterings.average_linkage(MatrixDistances(matrix))
        for threshold in (3, 8):
            cut = clusterings.cut_at(merges, threshold)
            assert members(cut) == average_linkage_by_definition(matrix, threshold)


def test_components_join_over_blocks():
    """A chain of 600 images: each is near its neighbours only, over several blocks of rows."""
    place = np.arange(600.0)[:, None]
    found = clusterings.components(FeatureDistances(place, place), 1.5)
    assert len(np.unique(found)) == 1
    apart = np.where(place < 300, place, place + 5)
    found = clusterings.components(FeatureDistances(apart, apart), 1.5)
    assert members(found) == {frozenset(range(300)), frozenset(range(300, 600))}


@pytest.fixture
def three_animals():
    """Query: animals 1, 2, 3 at 0, 10, 20; gallery: 1, 2 and 2 at 1, 11, 13; squared distances."""
    labels = Labels([1, 2, 3], [1, 2, 2], [0] * 3, [1] * 3)
    return FeatureDistances([[0.0], [10], [20]], [[1.0], [11], [13]]), labels


def test_all_images_are_grouped(three_animals):
    result = evaluate(*three_animals, discovery.Discovery(threshold=10))
    assert result.figures["ARI"] == 1
    assert result.figures["clusters"] == 3
    assert result.figures["ARI (true count)"] == 1
    assert result.figures["identities"] == 3
    assert result.conditions["clustered images"] == 6
    assert result.mAP == 1
    loose = evaluate(*three_animals, discovery.Discovery("components", 50))
    assert loose.figures["clusters"] == 2  # 20 is within 7 of 13
    assert loose.figures["false merges"] == pytest.approx(3 / 7)
    assert "ARI (true count)" not in loose.figures


@pytest.mark.parametrize(("images", "count", "people"), [("query", 3, 3), ("gallery", 3, 2)])
def test_one_side_may_be_grouped_alone(three_animals, images, count, people):
    result = evaluate(*three_animals, discovery.Discovery(images=images))
    assert result.conditions["clustered images"] == count
    assert result.figures["identities"] == people
    assert "ARI" not in result.figures


def test_nobody_in_particular_and_files_on_both_sides_count_as_they_should():
    features = np.array([[0.0], [5], [9], [0], [5]])
    labels = Labels([1, 2], [1, 0, -1], [0] * 2, [1] * 3, None, None, [10, 11], [10, 12, 13])
    distances = FeatureDistances(features[:2], features[2:])
    with pytest.raises(DataError, match="has a match"):
        evaluate(distances, labels, discovery.Discovery())
    labels = Labels([1, 2], [1, 2, -1], [0] * 2, [1] * 3, None, None, [10, 11], [10, 12, 13])
    found = evaluate(distances, labels, discovery.Discovery())
    assert found.conditions["clustered images"] == 3  # 11, 10 and 12
    background = evaluate(distances, labels, discovery.Discovery(background=1))
    assert background.conditions["clustered images"] == 2
    assert background.figures["identities"] == 1


def test_one_set_may_be_given_as_a_matrix():
    matrix = np.array([[0.0, 1, 9], [1, 0, 9], [9, 9, 0]])
    labels = Labels([1, 1, 2], [1, 1, 2], [0] * 3, [0] * 3)
    assert evaluate(matrix, labels, discovery.Discovery(threshold=2)).figures["ARI"] == 1
    people = [1, 1, 2]
    files = Labels(people, people, [0] * 3, [1] * 3, None, None, [5, 6, 7], [5, 6, 7])
    assert evaluate(matrix, files, discovery.Discovery(threshold=2)).figures["ARI"] == 1
    for other in (
        Labels(people, [1, 2, 2], [0] * 3, [0] * 3),
        Labels(people, people, [0] * 3, [0] * 3, None, None, [5, 6, 7], [7, 8, 9]),
    ):
        with pytest.raises(DataError, match="all images to all"):
            evaluate(matrix, other, discovery.Discovery(threshold=2))


def test_too_many_images_for_average_linkage_are_refused():
    wide = np.broadcast_to(np.zeros(1), (40_000, 1))
    with pytest.raises(DataError, match=r"40,000 images would take 11\.9 GB") as told:
        clusterings.average_linkage(FeatureDistances(wide, wide))
    assert "components" in str(told.value)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"method": "averag"}, "average"),
        ({"images": "both"}, "all"),
        ({"threshold": -1}, "threshold"),
        ({"method": "components"}, "need a threshold"),
    ],
)
def test_options_out_of_range_are_refused(options, told):
    with pytest.raises(UserError, match=told):
        discovery.Discovery(**options)
