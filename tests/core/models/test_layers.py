import pytest
import torch
from torch import nn

from reidcore.errors import UnknownNameError
from reidcore.models.layers import (
    bare_key,
    count_num_param,
    open_all_layers,
    open_specified_layers,
    unwrap,
)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(nn.Linear(3, 5), nn.BatchNorm1d(5))
        self.neck = nn.Sequential()
        self.neck.add_module("fc", nn.Linear(5, 4))
        self.neck.add_module("bn", nn.BatchNorm1d(4))
        self.classifier = nn.Linear(4, 2)
        self.token = nn.Parameter(torch.zeros(1))


def trainable(model):
    return {name for name, parameter in model.named_parameters() if parameter.requires_grad}


@pytest.mark.parametrize("wrap", [lambda net: net, nn.DataParallel])
def test_only_the_open_layers_learn_and_keep_batch_statistics(wrap):
    net = Net()
    model = wrap(net).train()
    open_specified_layers(model, ["neck.fc", "classifier"])
    assert trainable(net) == {
        "neck.fc.weight",
        "neck.fc.bias",
        "classifier.weight",
        "classifier.bias",
    }
    assert not net.features[1].training
    assert not net.neck.bn.training
    assert net.classifier.training
    assert net.training  # or the network would return features instead of logits


def test_opening_a_layer_opens_what_is_inside_it():
    net = Net().train()
    open_specified_layers(net, "neck")
    assert net.neck.bn.training
    assert trainable(net) == {"neck.fc.weight", "neck.fc.bias", "neck.bn.weight", "neck.bn.bias"}


def test_open_all_undoes_it():
    net = Net()
    open_specified_layers(net, "classifier")
    open_all_layers(net)
    assert trainable(net) == {name for name, _ in net.named_parameters()}
    assert all(module.training for module in net.modules())


@pytest.mark.parametrize(
    ("name", "hint"),
    [("clasifier", "'classifier'"), ("fc", r"'neck\.fc'"), ("xyz", "features, neck, classifier")],
)
def test_an_unknown_layer_is_refused_and_nothing_changes(name, hint):
    net = Net()
    with pytest.raises(UnknownNameError, match=hint):
        open_specified_layers(net, name)
    assert trainable(net) == {name for name, _ in net.named_parameters()}


def test_the_classifier_is_not_counted():
    expected = 3 * 5 + 5 + 2 * 5 + 5 * 4 + 4 + 2 * 4 + 1
    assert count_num_param(Net()) == expected
    assert count_num_param(nn.DataParallel(Net())) == expected


def test_any_number_of_wrappers_come_off():
    model = nn.Linear(2, 2)
    assert unwrap(model) is model
    assert unwrap(nn.DataParallel(nn.DataParallel(model))) is model
    assert unwrap(torch.compile(nn.DataParallel(model), backend="eager")) is model


@pytest.mark.parametrize(
    ("key", "bare"),
    [
        ("conv.weight", "conv.weight"),
        ("module.conv.weight", "conv.weight"),
        ("_orig_mod.module.conv.weight", "conv.weight"),
        ("modules.0.weight", "modules.0.weight"),
        ("conv.module.weight", "conv.module.weight"),
    ],
)
def test_only_leading_prefixes_come_off_a_key(key, bare):
    assert bare_key(key) == bare
