"""Figures of attributes: worked by hand, computed image by image, and how far they spread."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from reid_plugins_attributes.figures import attribute_figures

from reidcore.errors import DataError


def test_a_case_worked_by_hand():
    answers = np.array([[1, 0, 1], [1, 1, 0], [0, 0, 0], [0, 1, -1]], dtype=np.int8)
    said = np.array([[1, 1, 1], [0, 1, 0], [1, 0, 0], [0, 0, 1]], dtype=bool)
    found = attribute_figures(said, answers)
    # Of the two with the first attribute one was recognised, and one of the two without it.
    assert found.recall_of_yes.tolist() == [1 / 2, 1 / 2, 1]
    assert found.recall_of_no.tolist() == [1 / 2, 1 / 2, 1]
    assert found.mean_accuracy == pytest.approx((0.5 + 0.5 + 1) / 3)
    # The third image has no attribute and no part. Both: 2, 1, 0; either: 3, 2, 1.
    assert found.accuracy == pytest.approx((2 / 3 + 1 / 2 + 0) / 3)
    assert found.precision == pytest.approx((2 / 3 + 1 + 0) / 3)
    assert found.recall == pytest.approx((1 + 1 / 2 + 0) / 3)
    p, r = found.precision, found.recall
    assert found.by_name()["F1"] == pytest.approx(2 * p * r / (p + r))


def naive(said, answers):
    rows = []
    for guess, truth in zip(said, answers, strict=True):
        yes = {a for a, value in enumerate(truth) if value == 1}
        claimed = {a for a, value in enumerate(guess) if value and truth[a] >= 0}
        if yes:
            both = len(yes & claimed)
            rows.append((both / len(yes | claimed), both / max(1, len(claimed)), both / len(yes)))
    balanced = []
    for a in range(answers.shape[1]):
        yes, no = answers[:, a] == 1, answers[:, a] == 0
        if yes.any() and no.any():
            balanced.append((said[yes, a].mean() + (~said[no, a]).mean()) / 2)
    means = np.mean(rows, axis=0) if rows else [np.nan] * 3
    return [np.mean(balanced) if balanced else np.nan, *means]


SHAPE = st.tuples(st.integers(1, 8), st.integers(1, 5))


@given(st.data())
def test_it_is_what_each_image_says_by_itself(data):
    shape = data.draw(SHAPE)
    answers = data.draw(arrays(np.int8, shape, elements=st.integers(-1, 1)))
    said = data.draw(arrays(bool, shape))
    found = attribute_figures(said, answers)
    figures = found.by_name()
    names = ("mA", "accuracy", "precision", "recall")
    np.testing.assert_allclose([figures[name] for name in names], naive(said, answers))
    for name, numbers in found.contributions.items():
        known = numbers[~np.isnan(numbers)]
        if known.size and not np.isnan(figures[name]):
            assert known.mean() == pytest.approx(figures[name])


def test_intervals_hold_the_truth_of_fresh_people_as_often_as_they_say():
    rng = np.random.default_rng(0)
    hits = dict.fromkeys(("mA", "F1"), 0)
    draws, people, images = 150, 60, 4

    def test_of(count):
        habit = rng.normal(size=(count, 1, 6))  # a person is easy or hard, in all of his images
        yes = np.repeat(rng.random((count, 1, 6)) < 0.3, images, axis=1)
        right = habit + rng.normal(size=(count, images, 6)) > -0.8
        answers = yes.reshape(-1, 6).astype(np.int8)
        return (answers == 1) == right.reshape(-1, 6), answers, np.repeat(np.arange(count), images)

    said, answers, _ = test_of(20_000)
    truth = attribute_figures(said, answers).by_name()
    for _ in range(draws):
        said, answers, owners = test_of(people)
        for name, (low, high) in attribute_figures(said, answers).intervals(owners).items():
            if name in hits:
                hits[name] += low <= truth[name] <= high
    assert all(0.88 * draws <= count <= 0.99 * draws for count in hits.values()), hits


def test_nothing_is_said_of_nothing():
    found = attribute_figures(np.zeros((2, 1), bool), np.zeros((2, 1), np.int8))
    assert np.isnan(found.accuracy)
    assert np.isnan(found.mean_accuracy)
    with pytest.raises(DataError, match=r"\(2, 1\).*\(1, 1\)"):
        attribute_figures(np.zeros((1, 1), bool), np.zeros((2, 1), np.int8))
