"""All losses over pairs of images, beside their definitions written out an image at a time."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from reid_plugins_engines.losses import PairLoss, distances, pair_loss
from torch import Tensor
from torch._subclasses import FakeTensorMode

from reidcore.engine import make_terms
from reidcore.errors import ConfigError, UserError
from reidcore.registry import choose

Vectors = Sequence[np.ndarray]
Pids = Sequence[int]


@dataclass
class Anchor:
    """What an anchor is compared with: distances of, and cosines with, other images."""

    positive: list[float] = field(default_factory=list)
    negative: list[float] = field(default_factory=list)


def anchors(vectors: Vectors, pids: Pids, compare: Callable[..., float]) -> list[Anchor]:
    """Return every image's pairs."""
    found = [Anchor() for _ in pids]
    for a, anchor in enumerate(found):
        for b in range(len(pids)):
            if a != b:
                kind = anchor.positive if pids[a] == pids[b] else anchor.negative
                kind.append(compare(vectors[a], vectors[b]))
    return found


def complete(found: list[Anchor]) -> list[Anchor]:
    return [each for each in found if each.positive and each.negative]


def mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


def distance(left: np.ndarray, right: np.ndarray) -> float:
    return math.sqrt(sum((x - y) ** 2 for x, y in zip(left, right, strict=True)))


def unit(vector: np.ndarray) -> np.ndarray:
    return vector / math.sqrt(sum(x * x for x in vector))


def unit_distance(left: np.ndarray, right: np.ndarray) -> float:
    return distance(unit(left), unit(right))


def product(left: np.ndarray, right: np.ndarray) -> float:
    return float(sum(x * y for x, y in zip(left, right, strict=True)))


def cosine(left: np.ndarray, right: np.ndarray) -> float:
    return product(unit(left), unit(right))


def softplus(x: float) -> float:
    return max(x, 0.0) + math.log1p(math.exp(-abs(x)))


def batch_hard(vectors: Vectors, pids: Pids, margin: float, soft: bool, measure: Any) -> float:
    costs = []
    for anchor in anchors(vectors, pids, measure):
        violation = max([*anchor.positive, 0.0]) - min(anchor.negative) + margin
        costs.append(softplus(violation) if soft else max(violation, 0.0))
    return mean(costs)


def weighted(vectors: Vectors, pids: Pids, measure: Any) -> float:
    costs = []
    for anchor in complete(anchors(vectors, pids, measure)):
        far = [math.exp(d) for d in anchor.positive]
        near = [math.exp(-d) for d in anchor.negative]
        furthest = sum(w * d for w, d in zip(far, anchor.positive, strict=True)) / sum(far)
        closest = sum(w * d for w, d in zip(near, anchor.negative, strict=True)) / sum(near)
        costs.append(softplus(furthest - closest))
    return mean(costs)


def circle_of(positive: Sequence[float], negative: Sequence[float], m: float, g: float) -> float:
    of_positive = sum(math.exp(-g * max(1 + m - s, 0) * (s - (1 - m))) for s in positive)
    of_negative = sum(math.exp(g * max(s + m, 0) * (s - m)) for s in negative)
    return math.log(1 + of_positive * of_negative)


def circle(vectors: Vectors, pids: Pids, m: float, g: float) -> float:
    found = complete(anchors(vectors, pids, cosine))
    return mean([circle_of(each.positive, each.negative, m, g) for each in found])


def circle_over_pairs(vectors: Vectors, pids: Pids, m: float, g: float) -> float:
    once = Anchor()
    for a in range(len(pids)):
        for b in range(a + 1, len(pids)):
            kind = once.positive if pids[a] == pids[b] else once.negative
            kind.append(cosine(vectors[a], vectors[b]))
    return circle_of(once.positive, once.negative, m, g)


def cosface(vectors: Vectors, pids: Pids, m: float, g: float) -> float:
    costs = []
    for anchor in complete(anchors(vectors, pids, cosine)):
        of_positive = sum(math.exp(-g * s) for s in anchor.positive)
        costs.append(
            math.log(1 + of_positive * sum(math.exp(g * (s + m)) for s in anchor.negative))
        )
    return mean(costs)


def contrastive(vectors: Vectors, pids: Pids, near: float, far: float, measure: Any) -> float:
    found = anchors(vectors, pids, measure)
    of_positive = [d - near for each in found for d in each.positive if d > near]
    of_negative = [far - d for each in found for d in each.negative if d < far]
    return sum(mean(costs) for costs in (of_positive, of_negative) if costs)


def multi_similarity(
    vectors: Vectors, pids: Pids, a: float, b: float, base: float, epsilon: float
) -> float:
    costs = []
    for anchor in complete(anchors(vectors, pids, cosine)):
        nearest, furthest = max(anchor.negative), min(anchor.positive)
        positive = [s for s in anchor.positive if s - epsilon < nearest]
        negative = [s for s in anchor.negative if s + epsilon > furthest]
        cost = math.log(1 + sum(math.exp(-a * (s - base)) for s in positive)) / a
        costs.append(cost + math.log(1 + sum(math.exp(b * (s - base)) for s in negative)) / b)
    return mean(costs)


def supcon(vectors: Vectors, pids: Pids, temperature: float, compare: Any) -> float:
    costs = []
    for anchor in complete(anchors(vectors, pids, compare)):
        everything = sum(math.exp(s / temperature) for s in anchor.positive + anchor.negative)
        shares = [math.log(math.exp(s / temperature) / everything) for s in anchor.positive]
        costs.append(-mean(shares))
    return mean(costs)


def instance_of_images(vectors: Vectors, pids: Pids, gamma: float) -> float:
    costs = []
    for own in vectors:
        everything = sum(math.exp(gamma * cosine(own, other)) for other in vectors)
        costs.append(-math.log(math.exp(gamma) / everything))
    return mean(costs)


def instance(vectors: Vectors, pids: Pids, gamma: float) -> float:
    of_each = [
        [vector for vector, pid in zip(vectors, pids, strict=True) if pid == own]
        for own in sorted(set(pids))
    ]
    return instance_of_images([np.mean(group, axis=0) for group in of_each], pids, gamma)


@dataclass(frozen=True)
class Case:
    """A loss by its name and options, and its definition."""

    name: str
    options: dict[str, Any]
    definition: Callable[..., float]
    values: tuple[Any, ...]

    def make(self, **further: Any) -> PairLoss:
        component = choose("losses", self.name, self.options | further)
        (criterion,) = (
            each for _, each in make_terms({self.name: (1.0, component)}, num_classes=5).values()
        )
        assert isinstance(criterion, PairLoss)
        return criterion

    def __str__(self) -> str:
        return " ".join([self.name, *(f"{name}={value}" for name, value in self.options.items())])


CASES = [
    Case("triplet", {}, batch_hard, (0.3, False, distance)),
    Case("triplet", {"soft": True}, batch_hard, (0.0, True, distance)),
    Case("triplet", {"soft": True, "margin": 0.3}, batch_hard, (0.3, True, distance)),
    Case("triplet", {"normalize": True}, batch_hard, (0.3, False, unit_distance)),
    Case("weighted_triplet", {}, weighted, (distance,)),
    Case("weighted_triplet", {"normalize": True}, weighted, (unit_distance,)),
    Case("circle", {}, circle, (0.25, 128.0)),
    Case("circle", {"margin": 0.4, "scale": 8.0}, circle, (0.4, 8.0)),
    Case("circle", {"over": "pairs", "scale": 32.0}, circle_over_pairs, (0.25, 32.0)),
    Case("cosface_pairs", {}, cosface, (0.25, 128.0)),
    Case("cosface_pairs", {"margin": 0.1, "scale": 8.0}, cosface, (0.1, 8.0)),
    Case("contrastive", {}, contrastive, (0.0, 1.0, unit_distance)),
    Case(
        "contrastive",
        {"pos_margin": 0.5, "neg_margin": 3.0, "normalize": False},
        contrastive,
        (0.5, 3.0, distance),
    ),
    Case("multi_similarity", {}, multi_similarity, (2.0, 50.0, 0.5, 0.1)),
    Case("multi_similarity", {"epsilon": 0.0}, multi_similarity, (2.0, 50.0, 0.5, 0.0)),
    Case(
        "multi_similarity",
        {"alpha": 3.0, "beta": 9.0, "base": 0.2, "epsilon": None},
        multi_similarity,
        (3.0, 9.0, 0.2, 10.0),
    ),
    Case("supcon", {}, supcon, (0.1, cosine)),
    Case("supcon", {"temperature": 1.0, "normalize": False}, supcon, (1.0, product)),
    Case("instance", {}, instance, (32.0,)),
    Case("instance", {"classes": "images", "gamma": 8.0}, instance_of_images, (8.0,)),
]
each_loss = pytest.mark.parametrize("case", CASES, ids=str)


def unequal(dtype: torch.dtype = torch.float32, seed: int = 0) -> tuple[Tensor, Tensor]:
    """Return a batch of identities with 4, 3, 2 images and a lone one, out of order."""
    generator = torch.Generator().manual_seed(seed)
    pids = torch.tensor([2, 0, 1, 0, 3, 1, 0, 2, 1, 0])
    return torch.randn(10, 6, generator=generator, dtype=torch.float64).to(dtype), pids


@each_loss
@settings(max_examples=25, deadline=None)
@given(
    pids=st.lists(st.integers(0, 4), min_size=3, max_size=9).filter(
        lambda pids: 1 < len(set(pids)) < len(pids)
    ),
    seed=st.integers(0, 1000),
)
def test_any_batch_costs_what_the_definition_says(case: Case, pids: list[int], seed: int) -> None:
    features = torch.randn(
        len(pids), 4, generator=torch.Generator().manual_seed(seed), dtype=torch.float64
    )
    value = case.make()(features, torch.tensor(pids)).item()
    expected = case.definition(list(features.numpy()), pids, *case.values)
    assert value == pytest.approx(expected, rel=1e-9, abs=1e-12)


@each_loss
def test_single_precision_and_the_gradient_are_right(case: Case) -> None:
    features, pids = unequal(torch.float64)
    criterion = case.make()
    is_weighed = case.name == "circle"  # by cosines that count as constants
    leaf = features.clone().requires_grad_()
    if not is_weighed:
        assert torch.autograd.gradcheck(lambda x: criterion(x, pids), (leaf,))
    single = features.float().requires_grad_()
    for each in (leaf, single):
        criterion(each, pids).backward()
    assert leaf.grad is not None
    assert single.grad is not None
    assert leaf.grad.abs().sum() > 0
    torch.testing.assert_close(single.grad.double(), leaf.grad, rtol=1e-3, atol=1e-5)


@each_loss
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_mixed_precision_computes_in_single(case: Case, dtype: torch.dtype) -> None:
    features, pids = unequal(dtype)
    criterion = case.make()
    expected = criterion(features.float(), pids)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        mixed = criterion(features.requires_grad_(), pids)
    mixed.backward()
    assert mixed.dtype == torch.float32
    assert torch.equal(mixed, expected)
    assert features.grad is not None
    assert features.grad.dtype == dtype
    assert features.grad.isfinite().all()


@each_loss
def test_the_order_of_images_and_the_numbers_of_identities_do_not_matter(case: Case) -> None:
    features, pids = unequal(torch.float64)
    criterion = case.make()
    order = torch.randperm(len(pids), generator=torch.Generator().manual_seed(1))
    shuffled = criterion(features[order], 700 - 3 * pids[order])
    torch.testing.assert_close(shuffled, criterion(features, pids))


@each_loss
def test_features_at_one_point_have_finite_numbers_and_slopes(case: Case) -> None:
    features = torch.ones(6, 4, requires_grad=True)
    value = case.make()(features, torch.tensor([0, 0, 1, 1, 1, 2]))
    value.backward()
    assert value.isfinite()
    assert features.grad is not None
    assert features.grad.isfinite().all()
    if (stuck_at := case.make().stuck_at) is not None:  # what the alarm of collapse looks for
        assert value.item() == pytest.approx(stuck_at)
        assert not features.grad.any()


@each_loss
def test_batches_without_pairs_are_refused_with_the_fix(case: Case) -> None:
    criterion = case.make()
    for pids in ([3, 3, 3, 3], [0]):
        with pytest.raises(UserError, match=rf"the {criterion.title} saw one identity in a batch"):
            criterion(torch.randn(len(pids), 3), torch.tensor(pids))
    alone, each_of_another = torch.randn(4, 3), torch.tensor([0, 1, 2, 3])
    if not criterion.needs_positives:
        assert criterion(alone, each_of_another).isfinite()
        return
    with pytest.raises(UserError, match=r"one image of each identity.*RandomIdentitySampler"):
        criterion(alone, each_of_another)


def measured(criterion: PairLoss) -> tuple[Tensor, Tensor]:
    """Return the value of a batch and its slope."""
    features, pids = unequal()
    value = criterion(features.requires_grad_(), pids)
    value.backward()
    assert features.grad is not None
    return value.detach(), features.grad


@each_loss
def test_without_reads_batches_cost_the_same_and_nan_without_pairs(
    case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    criterion = case.make()
    with_reads = measured(criterion)
    for module in (distances, pair_loss):
        monkeypatch.setattr(module, "reading_waits", lambda tensor: True)
    torch.testing.assert_close(measured(criterion), with_reads)
    for pids in [[3, 3, 3, 3], [0], *[[0, 1, 2, 3]] * criterion.needs_positives]:
        assert criterion(torch.randn(len(pids), 3), torch.tensor(pids)).isnan()


@each_loss
def test_nothing_is_read_from_a_gpu(case: Case) -> None:
    criterion = case.make()
    with FakeTensorMode():  # refuses to read a value, as there is none
        value = criterion(
            torch.empty(8, 4, device="cuda", dtype=torch.float16),
            torch.empty(8, device="cuda", dtype=torch.int64),
        )
    assert value.shape == ()
    assert value.dtype == torch.float32


@pytest.mark.parametrize("name", dict.fromkeys(case.name for case in CASES))
def test_options_left_out_are_the_same_by_name_and_by_hand(name: str) -> None:
    by_name = next(case for case in CASES if case.name == name and not case.options).make()
    assert vars(type(by_name)()) == vars(by_name)


@each_loss
def test_each_says_which_images_it_sees(case: Case) -> None:
    criterion = case.make()
    assert criterion.takes == "features"
    assert criterion.across_ranks is True
    assert case.make(across_ranks=False).across_ranks is False
    assert criterion.needs_negatives


@pytest.mark.parametrize(
    ("name", "options", "told"),
    [
        ("triplet", {"margin": -0.1}, "margin"),
        ("circle", {"margin": -0.1}, "margin"),
        ("circle", {"scale": 0.0}, "scale"),
        ("circle", {"over": "images"}, "'anchors' or 'pairs'"),
        ("cosface_pairs", {"scale": -1.0}, "scale"),
        ("contrastive", {"neg_margin": -1.0}, "neg_margin"),
        ("multi_similarity", {"alpha": 0.0}, "alpha"),
        ("multi_similarity", {"epsilon": -0.1}, "epsilon"),
        ("supcon", {"temperature": 0.0}, "temperature"),
        ("instance", {"gamma": 0.0}, "gamma"),
        ("instance", {"classes": "cameras"}, "'identities' or 'images'"),
        ("circle", {"gamma": 64.0}, "gamma"),
    ],
)
def test_options_out_of_range_are_refused(name: str, options: dict[str, Any], told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        make_terms({name: (1.0, choose("losses", name, options))}, num_classes=5)
