import json
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from reidcore.errors import ConfigError, UnknownNameError
from reidcore.optim import build_optimizer

NOTES = json.loads(Path(__file__).parents[2].joinpath("fixtures/optim/notes.json").read_text())
CASES = {name: case["kwargs"] for name, case in NOTES["cases"].items() if "kwargs" in case}


def flat(net):
    return torch.cat([parameter.detach().reshape(-1) for parameter in net.parameters()]).numpy()


@pytest.mark.parametrize("case", sorted(CASES))
def test_follows_the_reference_trajectory(case, net, gold, plugins):
    state = {key[5:]: torch.tensor(gold[key]) for key in gold if key.startswith("init/")}
    net.load_state_dict(state)
    optimizer = build_optimizer(net, plugins=plugins, **CASES[case])
    expected = gold[f"{case}/params"]
    assert np.array_equal(flat(net), expected[0])
    for step, (x, y) in enumerate(zip(gold["X"], gold["Y"], strict=True)):
        loss = nn.functional.mse_loss(net(torch.tensor(x)), torch.tensor(y))
        assert loss.item() == pytest.approx(gold[f"{case}/loss"][step], rel=1e-5)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        np.testing.assert_allclose(flat(net), expected[step + 1], rtol=0, atol=2e-6)


def test_unknown_optimizer_names_the_nearest(net, plugins):
    with pytest.raises(UnknownNameError, match="amsgrad"):
        build_optimizer(net, "amsgard", plugins=plugins)


def test_refuses_what_torch_refuses_without_a_traceback(net, plugins):
    with pytest.raises(ConfigError, match="Nesterov"):
        build_optimizer(net, "sgd", momentum=0, sgd_nesterov=True, plugins=plugins)
    with pytest.raises(TypeError, match="Module"):
        build_optimizer([torch.zeros(1)], plugins=plugins)


def test_a_plugins_optimizer_keeps_its_own_defaults_and_takes_its_own_options(net, author, plugins):
    build_optimizer(net, "tuned", momentum=0.9, plugins=plugins, section={"trust": 2.0})
    assert author.seen == {"momentum": 0.5, "trust": 2.0}
    build_optimizer(net, "tuned", plugins=plugins, section={"momentum": 0.9})
    assert author.seen == {"momentum": 0.9, "trust": 1.0}
    with pytest.raises(ConfigError, match=r"no option 'trsut'.*'trust'"):
        build_optimizer(net, "tuned", plugins=plugins, section={"trsut": 2.0})


def test_fused_is_an_option_and_off_unless_asked_for(net, plugins):
    assert build_optimizer(net, "adam", plugins=plugins).defaults["fused"] is None
    assert (
        build_optimizer(net, "adam", plugins=plugins, section={"fused": True}).defaults["fused"]
        is True
    )


@pytest.mark.parametrize(
    ("name", "kind", "section", "expected"),
    [
        ("adamw", torch.optim.AdamW, {"beta1": 0.8, "eps": 1e-6}, {"eps": 1e-6}),
        ("nadam", torch.optim.NAdam, {"beta2": 0.9}, {"decoupled_weight_decay": False}),
        ("adamax", torch.optim.Adamax, {}, {"eps": 1e-8}),
        ("adagrad", torch.optim.Adagrad, {"lr_decay": 0.1}, {"lr_decay": 0.1}),
        ("adadelta", torch.optim.Adadelta, {"rho": 0.8}, {"rho": 0.8}),
    ],
)
def test_further_optimizers_are_torchs(name, kind, section, expected, net, plugins):
    made = build_optimizer(net, name, lr=0.2, weight_decay=0.3, plugins=plugins, section=section)
    assert type(made) is kind
    assert made.defaults.items() >= {"lr": 0.2, "weight_decay": 0.3, **expected}.items()
    if "betas" in made.defaults:
        assert made.defaults["betas"] == (section.get("beta1", 0.9), section.get("beta2", 0.99))
