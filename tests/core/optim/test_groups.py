import json
from pathlib import Path

import pytest
import torch
from torch import nn

from reidcore import hookimpl
from reidcore.errors import CheckpointError, ConfigError, PluginDefectError, UnknownNameError
from reidcore.optim import build_optimizer, parameter_groups
from reidcore.optim.resume import check_kind, continue_optimizer
from reidcore.plugins import make_plugins

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


# -- plugins' groups -------------------------------------------------------------------------------


class OwnGroups:
    """Answers the hook with what a function makes of the model."""

    def __init__(self, split):
        self.split = split
        self.asked = None

    @hookimpl
    def reid_parameter_groups(self, model, options):
        self.asked = model, options
        return self.split(list(model.parameters()), options)


def own_groups(net, split, **options):
    plugin = OwnGroups(split)
    plugins = make_plugins(extra=[plugin])
    return build_optimizer(net, plugins=plugins, **options), plugin


def test_reid_parameter_groups(net):
    optimizer, plugin = own_groups(
        nn.DataParallel(net),
        lambda weights, options: [
            {"params": iter(weights[:1]), "lr": options.lr / 10},
            {"params": weights[1:], "weight_decay": 0.0},
        ],
        lr=0.5,
        layer_decay=0.9,
    )
    model, options = plugin.asked
    assert model is net
    assert (options.lr, options.layer_decay, options.new_layers) == (0.5, 0.9, [])
    assert [len(group["params"]) for group in optimizer.param_groups] == [1, 3]
    assert [group["lr"] for group in optimizer.param_groups] == [0.05, 0.5]
    assert [group["weight_decay"] for group in optimizer.param_groups] == [5e-4, 0.0]


def test_a_plugin_that_has_none_leaves_the_groups_to_the_core(net):
    optimizer, _ = own_groups(net, lambda *_: None, staged_lr=True, new_layers="classifier")
    assert [group["name"] for group in optimizer.param_groups] == ["base", "new"]


@pytest.mark.parametrize(
    ("split", "gave"),
    [
        (lambda weights, _: 5, "gave an? int"),
        (lambda weights, _: weights, "gave a list"),
        (lambda weights, _: [{"lr": 1.0}], "gave a list"),
        (lambda weights, _: [{"params": weights[1:]}], "gave groups of 3"),
        (lambda weights, _: [{"params": [*weights, weights[0]]}], "gave groups of 5"),
    ],
    ids=["number", "parameters", "no_parameters", "one_left_out", "one_twice"],
)
def test_groups_without_all_parameters_are_a_defect(net, split, gave):
    with pytest.raises(PluginDefectError, match=rf"OwnGroups.*{gave}.*each of the model's"):
        own_groups(net, split)


@pytest.mark.parametrize(
    ("key", "options"),
    [("groups", {"groups": {"bias": {"lr_mult": 2.0}}}), ("layer_decay", {"layer_decay": 0.9})],
)
def test_rules_that_no_plugin_follows_are_refused(net, key, options):
    class Plain:
        @hookimpl
        def reid_register_optimizers(self, registry):
            registry.add("plain", lambda groups, lr, weight_decay: torch.optim.SGD(groups, lr=lr))

    plugins = make_plugins(extra=[Plain()], disabled=["standard"])
    assert build_optimizer(net, "plain", plugins=plugins)
    with pytest.raises(ConfigError, match=rf"train\.{key} is set.*'standard'.*make_plugins"):
        build_optimizer(net, "plain", plugins=plugins, **options)


# -- checkpoints -----------------------------------------------------------------------------------


def test_a_checkpoint_of_other_groups_says_so(net):
    plain, grouped = build_optimizer(net), build_optimizer(net, groups={"bias": {"lr_mult": 2}})
    with pytest.raises(CheckpointError, match=r"has 1 group of parameters, this one 2.*groups"):
        check_kind(grouped, plain.state_dict(), "a.pth")


def test_groups_of_a_checkpoint_without_names_are_taken_up(net):
    before = build_optimizer(net, staged_lr=True, new_layers="classifier")
    state = before.state_dict()
    for group in state["param_groups"]:
        del group["name"]
    after = build_optimizer(net, staged_lr=True, new_layers="classifier")
    assert continue_optimizer(after, state, "a.pth") == []
    assert [group["name"] for group in after.param_groups] == ["base", "new"]
