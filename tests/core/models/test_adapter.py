"""Foreign modules under the contract, told apart by what they do."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import nn

from reidcore.errors import UserError
from reidcore.models import ReidModel, outputs_of
from reidcore.models.adapter import adapted

IMAGES = torch.randn(4, 3, 8, 8, generator=torch.Generator().manual_seed(0))


class Classifier(nn.Module):
    """As torchvision's: logits in either mode."""

    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Conv2d(3, 6, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten())
        self.fc = nn.Linear(6, 5)

    def forward(self, x):
        return self.fc(self.body(x))


class Scaled(Classifier):
    def forward(self, x):
        return 16 * super().forward(x)


class Torchreids(Classifier):
    """As Torchreid's: features when it evaluates, and a loss that it knows itself."""

    def __init__(self, loss):
        super().__init__()
        self.loss = loss

    def featuremaps(self, x):
        return self.body[0](x)

    def forward(self, x, return_featuremaps=False):
        if return_featuremaps:
            return self.featuremaps(x)
        features = self.body(x)
        if not self.training:
            return features
        logits = self.fc(features)
        return logits if self.loss == "softmax" else (logits, features)


class TwoBranches(Classifier):
    def forward(self, x):
        return self.fc(self.body(x)), self.fc(self.body(-x))


class Headless(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 5, 8)

    def forward(self, x):
        return self.conv(x).flatten(1)


def test_a_plain_classifier_is_compared_by_what_its_classifier_sees():
    network = Classifier()
    model, features = adapted(network), network.body(IMAGES)
    assert torch.equal(model.eval()(IMAGES), features)
    assert torch.equal(model.train()(IMAGES), network.fc(features))
    logits, seen = adapted(Classifier(), "triplet").train()(IMAGES)
    assert (logits.shape, seen.shape) == ((4, 5), (4, 6))


def test_logits_changed_after_the_classifier_are_logits_all_the_same():
    network = Scaled().eval()
    assert torch.equal(adapted(network)(IMAGES), network.body(IMAGES))


@pytest.mark.parametrize("make", [Classifier, lambda: Torchreids("softmax"), Scaled])
@pytest.mark.parametrize("training", [True, False])
def test_outputs_hold_logits_and_features_in_either_mode(make, training):
    model = make().train(training)
    outputs = outputs_of(model, IMAGES)
    assert torch.equal(outputs.features, model.body(IMAGES))
    assert outputs.logits.shape == (4, 5)


def test_torchreids_models_keep_their_ways():
    pair = adapted(Torchreids("triplet"), "softmax").train()(IMAGES)
    assert [tuple(part.shape) for part in pair] == [(4, 5), (4, 6)]
    model = adapted(Torchreids("softmax"))
    assert model.train()(IMAGES).shape == (4, 5)
    assert model.eval()(IMAGES).shape == (4, 6)
    assert model(IMAGES, return_featuremaps=True).shape == (4, 6, 6, 6)


def test_two_branches_of_logits_are_no_pair():
    outputs = outputs_of(TwoBranches(), IMAGES)
    assert [tuple(logits.shape) for logits in outputs.logits] == [(4, 5), (4, 5)]
    assert outputs.features.shape == (4, 6)


def test_adapting_changes_neither_keys_nor_children_nor_type():
    model = Classifier()
    keys, children = list(model.state_dict()), [name for name, _ in model.named_children()]
    outputs_of(model, IMAGES)
    assert list(model.state_dict()) == keys
    assert [name for name, _ in model.named_children()] == children
    assert type(model) is Classifier
    assert vars(model).keys() == vars(Classifier()).keys()
    assert not model.fc._forward_hooks
    clone = adapted(copy.deepcopy(model).eval())
    assert torch.equal(clone(IMAGES), adapted(model.eval())(IMAGES))


def test_wrapped_foreign_modules_are_adapted_inside():
    model = Classifier().eval()
    wrapped = nn.DataParallel(model)
    outputs = outputs_of(wrapped, IMAGES)
    assert torch.equal(outputs.features, model.body(IMAGES))


def test_a_reid_model_is_left_alone():
    model = ReidModel()
    assert adapted(model) is model
    assert type(model) is ReidModel


def test_an_adapter_is_not_adapted_again():
    model = adapted(Classifier())
    assert adapted(model) is model
    wrapped = nn.DataParallel(model)
    assert adapted(wrapped) is wrapped


def test_the_module_decides_whether_it_trains():
    network = Classifier()
    model = adapted(network)
    network.eval()
    assert torch.equal(model(IMAGES), network.body(IMAGES))
    model.train()
    assert network.training


def test_arguments_of_its_own_reach_a_foreign_forward():
    class Mixing(Classifier):
        def forward(self, x, *, lmda=None):
            return self.fc(self.body(x)) * (1.0 if lmda is None else lmda)

    network = Mixing()
    plain = outputs_of(network, IMAGES)
    mixed = outputs_of(network, IMAGES, lmda=0.5)
    assert torch.equal(mixed.logits, plain.logits * 0.5)
    assert torch.equal(mixed.features, plain.features)
    assert torch.equal(network(IMAGES, lmda=0.5), mixed.logits)


def test_without_a_linear_classifier_training_works_and_evaluation_says_what_is_missing():
    outputs = outputs_of(Headless().train(), IMAGES)
    assert outputs.logits.shape == (4, 5)
    assert outputs.features is None
    with pytest.raises(UserError, match="no logits in evaluation mode"):
        outputs_of(Headless().eval(), IMAGES)


def test_maps_that_a_foreign_module_does_not_give_are_refused():
    with pytest.raises(UserError, match="Classifier gives no feature maps"):
        adapted(Classifier())(IMAGES, return_featuremaps=True)


def test_features_carry_gradients():
    model = Classifier()
    outputs_of(model, IMAGES).features.sum().backward()
    assert model.body[0].weight.grad is not None
    assert model.fc.weight.grad is None
