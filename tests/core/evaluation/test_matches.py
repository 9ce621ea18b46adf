import numpy as np

from reidcore.evaluation import Labels, SameIdentity


def test_the_same_identity_matches_in_another_camera_and_is_ignored_in_its_own():
    labels = Labels([5, 6, 9], [6, 5, 5, 7, 5], [0, 1, 0], [0, 0, 1, 0, 2])
    related = SameIdentity(labels).rows(0, 3)
    assert related.first.tolist() == [0, 3, 4, 4]
    assert related.items.tolist() == [1, 2, 4, 0]
    assert related.match.tolist() == [False, True, True, True]
    assert related.owner.tolist() == [0, 0, 0, 1]


def test_a_span_of_queries_is_cut_out_of_the_whole():
    rng = np.random.default_rng(0)
    labels = Labels(*(rng.integers(0, high, n) for high in (6, 3) for n in (20, 50)))
    relations = SameIdentity(labels)
    whole, part = relations.rows(0, 20), relations.rows(7, 12)
    span = slice(whole.first[7], whole.first[12])
    np.testing.assert_array_equal(part.items, whole.items[span])
    np.testing.assert_array_equal(part.match, whole.match[span])
