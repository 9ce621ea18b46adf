import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from reidcore.errors import ConfigError, UnknownNameError, UserError
from reidcore.optim import build_lr_scheduler, build_optimizer


class Deep(nn.Module):
    """Some of what networks are made of."""

    def __init__(self):
        super().__init__()
        self.token = nn.Parameter(torch.zeros(3))
        self.stem = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4))
        self.blocks = nn.ModuleList(
            nn.ModuleDict({"norm": nn.LayerNorm(4), "attn": nn.MultiheadAttention(4, 2)})
            for _ in range(3)
        )
        self.groupnorm = nn.GroupNorm(2, 4)
        self.classifier = nn.Linear(4, 5)

    def layer_depths(self):
        names = [name for name, _ in self.named_parameters()]
        stem = {name: 0 for name in names if name.startswith(("stem", "token"))}
        return stem | {
            name: int(name.split(".")[1]) + 1 for name in names if name.startswith("blocks")
        }


def learnt(model, groups, lr=1.0, decay=0.5):
    """Return each parameter's rate and weight decay by name, and that none is held twice."""
    held = [id(each) for group in groups for each in group["params"]]
    assert len(held) == len(set(held)) == len(list(model.parameters()))
    settings = {
        id(each): (group["lr"] / lr, group.get("weight_decay", decay))
        for group in groups
        for each in group["params"]
    }
    return {name: settings[id(each)] for name, each in model.named_parameters()}


def with_rules(model=None, rules=None, **options):
    model = model or Deep()
    optimizer = build_optimizer(model, "sgd", 1.0, 0.5, groups=rules, **options)
    return learnt(model, optimizer.param_groups)


def test_biases_norms_and_new_layers_have_names():
    rules = {
        "bias": {"lr_mult": 2.0, "weight_decay": 0.0},
        "norm": {"weight_decay": 0.25},
        "new_layers": {"lr_mult": 10.0},
    }
    found = with_rules(rules=rules, new_layers="classifier")
    assert found["stem.0.weight"] == (1.0, 0.5)
    assert found["stem.0.bias"] == (2.0, 0.0)
    assert found["stem.1.weight"] == (1.0, 0.25)
    assert found["stem.1.bias"] == (2.0, 0.25)  # a bias of a norm: the later weight decay
    assert found["blocks.1.norm.weight"] == found["groupnorm.weight"] == (1.0, 0.25)
    assert found["blocks.0.attn.in_proj_bias"] == (2.0, 0.0)
    assert found["classifier.weight"] == (10.0, 0.5)
    assert found["classifier.bias"] == (20.0, 0.0)


@pytest.mark.parametrize(
    ("pattern", "count"),
    [
        ("stem", 4),
        ("stem.*", 4),
        ("stem.0", 2),
        ("stem.0.weight", 1),
        ("blocks.[01].norm", 4),
        ("*.attn", 12),
        ("token", 1),
        ("*", 27),
    ],
)
def test_a_pattern_is_of_layers_and_parameters(pattern, count):
    found = with_rules(rules={pattern: {"lr_mult": 0.1}})
    assert sum(rate == 0.1 for rate, _ in found.values()) == count


def test_groups_have_names_and_the_full_rate_comes_last():
    rules = {"norm": {"weight_decay": 0.0}, "stem": {"lr_mult": 0.1}}
    optimizer = build_optimizer(Deep(), lr=0.2, groups=rules)
    shown = [(group["name"], pytest.approx(group["lr"])) for group in optimizer.param_groups]
    assert sorted(shown[:-1]) == [("norm", 0.2), ("norm+stem", 0.02), ("stem", 0.02)]
    assert shown[-1] == ("other", 0.2)


def test_rules_multiply_a_staged_rate():
    found = with_rules(
        rules={"bias": {"lr_mult": 2.0}}, staged_lr=True, new_layers="classifier", base_lr_mult=0.1
    )
    assert found["stem.0.weight"][0] == pytest.approx(0.1)
    assert found["stem.0.bias"][0] == pytest.approx(0.2)
    assert found["classifier.bias"][0] == 2.0


def test_rates_decay_with_the_distance_from_the_new_layers():
    found = with_rules(layer_decay=0.5, rules={"bias": {"lr_mult": 2.0}})
    assert found["token"][0] == found["stem.0.weight"][0] == 0.5**4
    assert found["stem.0.bias"][0] == 2 * 0.5**4
    assert [found[f"blocks.{i}.norm.weight"][0] for i in range(3)] == [0.125, 0.25, 0.5]
    assert found["groupnorm.weight"][0] == found["classifier.weight"][0] == 1.0


names = st.sampled_from(
    ["bias", "norm", "new_layers", "stem", "blocks.*", "*.attn", "blocks.1", "*.weight", "token"]
)
rule = st.fixed_dictionaries(
    {"lr_mult": st.floats(0, 10)}, optional={"weight_decay": st.floats(0, 1)}
)


@settings(max_examples=25, deadline=None)
@given(
    rules=st.dictionaries(names, rule, max_size=5),
    staged=st.booleans(),
    layer_decay=st.none() | st.floats(0.1, 1.0),
)
def test_every_parameter_is_in_one_group_with_all_that_is_said_of_it(rules, staged, layer_decay):
    model = Deep()
    options = {"staged_lr": staged, "new_layers": "classifier", "layer_decay": layer_decay}
    found = with_rules(model, rules=rules, **options)
    expected = {
        name: 0.1 if staged and not name.startswith("classifier") else 1.0
        for name, _ in model.named_parameters()
    }
    decays = dict.fromkeys(expected, 0.5)
    for pattern, settings_of in rules.items():
        alone = with_rules(model, rules={pattern: {"lr_mult": 3.0}}, new_layers="classifier")
        for name in [name for name, (rate, _) in alone.items() if rate == 3.0]:
            expected[name] *= settings_of["lr_mult"]
            decays[name] = settings_of.get("weight_decay", decays[name])
    for name, depth in model.layer_depths().items():
        expected[name] *= (layer_decay or 1.0) ** (4 - depth)
    assert {name: rate for name, (rate, _) in found.items()} == pytest.approx(expected)
    assert {name: decay for name, (_, decay) in found.items()} == decays


@pytest.mark.parametrize(
    ("rules", "message"),
    [
        ({"classifer": {}}, r"in 'classifer'.*Did you mean 'classifier'"),
        ({"blok.*": {}}, r"in 'blok\.\*'.*'blocks'"),
        ({"norms": {}}, r"in 'norms'.*'norm'"),
        ({"xyz": {}}, r"in 'xyz'.*Name bias, norm, new_layers"),
    ],
)
def test_a_rule_for_nothing_is_refused(rules, message):
    with pytest.raises(UnknownNameError, match=message):
        with_rules(rules=rules)


def test_a_model_without_norms_has_no_such_group(net):
    with pytest.raises(UnknownNameError, match="no parameter of _TwoLayers is in 'norm'"):
        build_optimizer(net, groups={"norm": {"weight_decay": 0.0}})


def test_a_network_of_unknown_depth_is_refused(net):
    with pytest.raises(UserError, match=r"_TwoLayers does not say how deep.*layer_depths\(\)"):
        build_optimizer(net, layer_decay=0.9)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"groups": {"bias": {"lr_mul": 2.0}}}, r"no key train\.groups\.bias\.lr_mul"),
        ({"groups": {"bias": {"lr_mult": -1.0}}}, r"train\.groups\.bias\.lr_mult is -1\.0"),
        ({"layer_decay": 1.5}, r"train\.layer_decay is 1\.5"),
    ],
)
def test_a_rule_that_cannot_be_is_refused(net, options, message):
    with pytest.raises(ConfigError, match=message):
        build_optimizer(net, **options)


def test_a_scheduler_moves_all_groups_alike(net):
    optimizer = build_optimizer(net, lr=0.1, groups={"bias": {"lr_mult": 2}})
    scheduler = build_lr_scheduler(optimizer, "cosine", max_epoch=4, warmup_epochs=2)
    rates = []
    for _ in range(4):
        rates.append([group["lr"] for group in optimizer.param_groups])
        scheduler.step()
    assert all(double == pytest.approx(2 * single) for double, single in rates)
