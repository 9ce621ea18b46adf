import json
from pathlib import Path

import pytest
import torch
from torch import nn

from reidcore.errors import UnknownNameError
from reidcore.optim import build_optimizer, parameter_groups

GOLD = json.loads(Path(__file__).parents[2].joinpath("fixtures/optim/notes.json").read_text())[
    "cases"
]["staged_lr"]


def shape(group, default):
    return {
        "lr": group.get("lr", default),
        "n_params": len(group["params"]),
        "numel": sum(parameter.numel() for parameter in group["params"]),
    }


@pytest.mark.parametrize("layers", ["classifier", ["classifier"], ["conv", "classifier"]])
def test_staged_groups_are_the_references(layers, net):
    optimizer = build_optimizer(net, lr=0.0015, staged_lr=True, new_layers=layers)
    assert [shape(group, None) for group in optimizer.param_groups] == GOLD[str(layers)]


def test_every_parameter_is_in_one_group_also_those_on_the_model_itself(net):
    net.token = nn.Parameter(torch.zeros(3))
    base, new = parameter_groups(net, 0.1, staged_lr=True, new_layers="classifier")
    assert any(parameter is net.token for parameter in base["params"])
    assert len(base["params"]) + len(new["params"]) == 5


def test_a_nested_layer_is_named_by_its_path(net):
    model = nn.Sequential()
    model.add_module("backbone", net)
    base, new = parameter_groups(model, 1.0, staged_lr=True, new_layers="backbone.classifier")
    assert new["params"] == list(net.classifier.parameters())
    assert base["params"] == list(net.conv.parameters())
    with pytest.raises(UnknownNameError, match=r"Did you mean 'backbone\.classifier'"):
        parameter_groups(model, 1.0, staged_lr=True, new_layers="classifier")


def test_a_name_that_only_begins_alike_is_another_layer(net):
    net.classifier2 = nn.Linear(2, 2)
    _, new = parameter_groups(net, 1.0, staged_lr=True, new_layers="classifier")
    assert new["params"] == list(net.classifier.parameters())


def test_a_mistyped_layer_is_refused_with_near_names(net):
    with pytest.raises(UnknownNameError, match=r"'clasifier'.*Did you mean 'classifier"):
        parameter_groups(net, 0.1, staged_lr=True, new_layers=["conv", "clasifier"])


def test_looks_through_data_parallel(net):
    _, new = parameter_groups(nn.DataParallel(net), 0.1, staged_lr=True, new_layers="classifier")
    assert len(new["params"]) == 2


def test_staging_without_new_layers_is_told(net, caplog):
    base, new = parameter_groups(net, 0.1, staged_lr=True)
    assert (len(base["params"]), len(new["params"])) == (4, 0)
    assert "without new_layers" in caplog.text


def test_frozen_parameters_stay_in_the_optimizer(net):
    net.conv.requires_grad_(False)
    assert len(build_optimizer(net).param_groups[0]["params"]) == 4
