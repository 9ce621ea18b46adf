"""The loss of attributes against its definition, answer by answer."""

from __future__ import annotations

import math

import pytest
import torch
from reid_plugins_attributes.loss import AttributeLoss, attribute_term
from reid_plugins_attributes.questions import Question

from reidcore.errors import ConfigError, DataError
from reidcore.models import Outputs
from tests.plugins.reid_plugins_attributes.test_questions import table

QUESTIONS = (Question("hat", "attribute_hat", 1), Question("bag", "attribute_bag", 1))
SHARES = torch.tensor([0.1, 0.6])


def by_hand(loss, features, answers, weighting, smoothing):
    total, known = 0.0, 0
    logits = loss.classifier(features).double()
    for row in range(len(answers)):
        for place, share in enumerate(SHARES.double().tolist()):
            answer = int(answers[row, place])
            if answer < 0:
                continue
            known += 1
            target = 1 - smoothing if answer else smoothing
            weight = {
                "deepmar": math.exp(1 - share) if answer else math.exp(share),
                "positive": math.exp(-share),
                "none": 1.0,
            }[weighting]
            said = torch.sigmoid(logits[row, place])
            total -= weight * (target * said.log() + (1 - target) * (1 - said).log())
    return total / known


@pytest.mark.parametrize("weighting", ["deepmar", "positive", "none"])
@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_it_is_the_weighted_cross_entropy_of_known_answers(weighting, smoothing):
    torch.manual_seed(0)
    loss = AttributeLoss(QUESTIONS, SHARES, 5, weighting, smoothing)
    torch.nn.init.normal_(loss.classifier.weight)
    features = torch.randn(4, 5, dtype=torch.float64, requires_grad=True)
    loss.double()
    answers = torch.tensor([[1, 0], [0, -1], [-1, 1], [0, 0]], dtype=torch.int8)
    expected = by_hand(loss, features, answers, weighting, smoothing)
    torch.testing.assert_close(loss.of(features, answers), expected)
    assert torch.autograd.gradcheck(lambda x: loss.of(x, answers), features)


def test_a_batch_of_nobody_that_is_described_teaches_nothing():
    loss = AttributeLoss(QUESTIONS, SHARES, 5)
    features = torch.randn(2, 5, requires_grad=True)
    value = loss.of(features, torch.full((2, 2), -1, dtype=torch.int8))
    value.backward()
    assert value.item() == 0
    assert not features.grad.any()


def test_it_is_precise_under_autocast():
    loss = AttributeLoss(QUESTIONS, SHARES, 64)
    features = torch.randn(8, 64).to(torch.bfloat16)
    answers = torch.randint(0, 2, (8, 2), dtype=torch.int8)
    alone = loss.of(features.float(), answers)
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(loss.of(features, answers), alone)


def test_branches_stand_side_by_side_and_columns_are_read_of_the_batch():
    loss = AttributeLoss(QUESTIONS, SHARES, 6)
    parts = [torch.randn(3, 2), torch.randn(3, 4)]
    batch = {"attribute_hat": torch.tensor([1, 0, -1]), "attribute_bag": torch.tensor([0, 1, 1])}
    answers = torch.tensor([[1, 0], [0, 1], [-1, 1]])
    wanted = loss.of(torch.cat(parts, 1), answers)
    assert torch.equal(loss(Outputs(None, tuple(parts)), batch), wanted)
    with pytest.raises(DataError, match="no attribute of those that are learnt"):
        loss(Outputs(None, torch.cat(parts, 1)), {"pid": torch.zeros(3)})


def test_shares_are_those_of_known_answers():
    made = attribute_term(
        2, feature_dim=4, train_table=table(attribute_hat=[1, 0, 0, -1], attribute_bag=[1, 1, 0, 1])
    )
    assert [each.name for each in made.questions] == ["bag", "hat"]
    torch.testing.assert_close(made.shares, torch.tensor([0.75, 1 / 3]))


@pytest.mark.parametrize(
    ("options", "said"),
    [({"feature_dim": None}, "how many features"), ({"smoothing": 0.5}, "smoothing is 0.5")],
)
def test_options_that_cannot_be_are_refused(options, said):
    with pytest.raises(ConfigError, match=said):
        attribute_term(
            2, **{"feature_dim": 4, "train_table": table(attribute_hat=[0, 1])} | options
        )
