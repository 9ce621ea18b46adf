"""Classifiers with a margin, beside figures worked out by hand."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional as F

from reidcore.models import linear_classifier
from reidcore.registry import choose

COSINE_CLASSIFIERS = ("arcface", "cosface", "circle")


def make(name, feature_dim, num_classes, **options):
    return choose("classifiers", name, options).make(
        feature_dim=feature_dim, num_classes=num_classes, bias=True
    )


# Two identities along the axes; the first image is at (0.6, 0.8), whatever its length, and the
# second nearly opposite to its own identity, at (-0.96, 0.28).
FEATURES = torch.tensor([[3.0, 4.0], [-24.0, 7.0]])
PIDS = torch.tensor([0, 0])
COSINES = [[0.6, 0.8], [-0.96, 0.28]]

GOLD = {
    # cos(acos 0.6 + 0.5) = 0.6 * 0.8775826 - 0.8 * 0.4794255; acos(-0.96) + 0.5 is more than pi,
    # and the line goes on: -0.96 - 0.5 * 0.4794255
    ("arcface", 0.5): [[0.1430091, 0.8], [-1.1997128, 0.28]],
    ("cosface", 0.35): [[0.25, 0.8], [-1.31, 0.28]],
    # own: (1.25 - s) (s - 0.75); others: max(0, s + 0.25) (s - 0.25)
    ("circle", 0.25): [[0.65 * -0.15, 1.05 * 0.55], [2.21 * -1.71, 0.53 * 0.03]],
}


def classifier_of(name: str, **options: float) -> torch.nn.Module:
    made = make(name, 2, 2, **options)
    made.load_state_dict({"weight": torch.tensor([[5.0, 0.0], [0.0, 0.1]])})
    return made


@pytest.mark.parametrize(("name", "margin"), GOLD)
def test_logits_of_training_by_hand(name, margin) -> None:
    logits = classifier_of(name, scale=10.0, margin=margin)(FEATURES, PIDS)
    torch.testing.assert_close(logits, 10 * torch.tensor(GOLD[name, margin]), atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("name", COSINE_CLASSIFIERS)
def test_without_labels_or_training_logits_are_scaled_cosines(name) -> None:
    classifier = classifier_of(name, scale=10.0)
    plain = 10 * torch.tensor(COSINES)
    torch.testing.assert_close(classifier(FEATURES), plain)
    torch.testing.assert_close(classifier.eval()(FEATURES, PIDS), plain)


@pytest.mark.parametrize(
    ("name", "scale", "margin"), [("arcface", 30, 0.5), ("cosface", 30, 0.35), ("circle", 64, 0.25)]
)
def test_the_documented_defaults(name, scale, margin) -> None:
    classifier = make(name, 2, 2)
    assert (classifier.scale, classifier.margin) == (scale, margin)


@pytest.mark.parametrize("name", ["arcface", "cosface"])
def test_slopes_are_those_of_the_margin_on_both_sides_of_the_guard(name) -> None:
    classifier = classifier_of(name, margin=0.5)
    cosines = torch.tensor(COSINES, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda each: classifier.with_margin(each, PIDS), (cosines,))


def test_slopes_of_circle_are_its_weights_which_have_none_of_their_own() -> None:
    cosines = torch.tensor(COSINES, dtype=torch.float64, requires_grad=True)
    classifier_of("circle", margin=0.25).with_margin(cosines, PIDS).sum().backward()
    weights = torch.tensor([[1.25 - 0.6, 0.8 + 0.25], [1.25 + 0.96, 0.28 + 0.25]])
    torch.testing.assert_close(cosines.grad, weights.double(), check_dtype=False)


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 1000),
    margin=st.floats(0.01, 1.5),
    name=st.sampled_from(["arcface", "cosface"]),
)
def test_a_margin_lowers_the_label_alone(seed, margin, name) -> None:
    draw = torch.Generator().manual_seed(seed)
    features, pids = torch.randn(6, 5, generator=draw), torch.randint(4, (6,), generator=draw)
    classifier = make(name, 5, 4, scale=1.0, margin=margin)
    with_margin, plain = classifier(features, pids), classifier(features)
    is_label = F.one_hot(pids, 4).bool()
    assert (with_margin[is_label] < plain[is_label]).all()
    torch.testing.assert_close(with_margin[~is_label], plain[~is_label])


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 1000), name=st.sampled_from(["arcface", "cosface"]))
def test_a_margin_of_zero_changes_nothing(seed, name) -> None:
    draw = torch.Generator().manual_seed(seed)
    features, pids = torch.randn(6, 5, generator=draw), torch.randint(4, (6,), generator=draw)
    classifier = make(name, 5, 4, margin=0.0)
    torch.testing.assert_close(classifier(features, pids), classifier(features), atol=1e-4, rtol=0)


def test_arcface_keeps_falling_past_half_a_turn() -> None:
    angles = torch.linspace(0.01, math.pi - 0.01, 200)
    features = torch.stack([angles.cos(), angles.sin()], dim=1)
    own = classifier_of("arcface", scale=1.0)(features, torch.zeros(200, dtype=torch.int64))[:, 0]
    assert (own.diff() < 0).all()


@pytest.mark.parametrize("name", COSINE_CLASSIFIERS)
def test_margins_are_computed_in_full_precision_under_autocast(name) -> None:
    classifier = classifier_of(name)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        logits = classifier(FEATURES.bfloat16(), PIDS)
    assert logits.dtype is torch.float32
    torch.testing.assert_close(logits, classifier(FEATURES, PIDS))


def test_a_linear_classifier_has_no_use_for_labels() -> None:
    classifier = linear_classifier(2, 3)
    torch.testing.assert_close(classifier(FEATURES, PIDS), classifier(FEATURES))
