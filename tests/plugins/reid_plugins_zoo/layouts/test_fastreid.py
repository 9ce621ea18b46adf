"""FastReID's checkpoints fill the same networks here."""

from __future__ import annotations

import logging

import pytest
import torch
from reid_plugins_zoo.mgn import MGN
from reid_plugins_zoo.resnet import ResidualMaps
from torch import nn
from torchvision.models import resnet

from reidcore.errors import CheckpointError
from reidcore.models import build_model, load_pretrained_weights


def stored(state, tmp_path):
    torch.save(state, tmp_path / "anything.bin")
    return tmp_path / "anything.bin"


def fastreid(model, classifier="heads.weight", bottleneck=("heads.bottleneck.0",)):
    """A state dict as FastReID stores it, from a model of ours with a head."""
    state = {"pixel_mean": torch.zeros(1, 3, 1, 1), "pixel_std": torch.ones(1, 3, 1, 1)}
    for key, value in model.state_dict().items():
        part, _, rest = key.rpartition(".")
        if key == "classifier.weight":
            state[classifier] = value
        elif key == "head.pool.p":
            state["heads.pool_layer.p"] = value
        elif part == "head.neck":
            state[f"{bottleneck[-1]}.{rest}"] = value
        elif key == "head.embedding.weight":
            state[f"{bottleneck[0]}.weight"] = value[:, :, None, None]
        elif part != "head.embedding":
            state[f"backbone.{key}"] = value
    return state


def test_fastreids_baseline_fills_a_model_with_the_same_head(tmp_path):
    head = {"pool": "gem", "neck": "bnneck"}
    source = build_model("osnet_x0_25", 5, pretrained=False, head=head)
    nn.init.normal_(source.head.neck.running_mean)
    state = fastreid(source)
    state["heads.bottleneck.0.bias"] = torch.zeros(source.feature_dim)
    model = build_model("osnet_x0_25", 5, pretrained=False, head=head)
    report = load_pretrained_weights(model, stored({"model": state, "epoch": 3}, tmp_path))
    assert report.layout == "FastReID's keys"
    assert report.untouched == []
    assert report.discarded == ["pixel_mean", "pixel_std", "heads.bottleneck.0.bias"]
    for key, value in source.state_dict().items():
        assert torch.equal(model.state_dict()[key], value), key


def test_fastreids_reduction_is_a_convolution_without_bias(tmp_path):
    head = {"pool": "avg", "neck": "bnneck", "embedding": 16}
    source = build_model("osnet_x0_25", 5, pretrained=False, head=head)
    nn.init.zeros_(source.head.embedding.bias)
    layers = ("heads.bottleneck.0", "heads.bottleneck.1")
    state = fastreid(source, "heads.classifier.weight", layers)
    model = build_model("osnet_x0_25", 5, pretrained=False, head=head)
    nn.init.ones_(model.head.embedding.bias)
    report = load_pretrained_weights(model, stored(state, tmp_path))
    assert report.untouched == []
    images = torch.randn(2, 3, 64, 32)
    with torch.no_grad():
        torch.testing.assert_close(model.eval()(images), source.eval()(images))


def test_what_fastreid_has_and_we_have_not_is_told(tmp_path):
    state = fastreid(build_model("resnet18", 5, pretrained=False))
    state["heads.bottleneck.0.weight"] = torch.ones(512)
    state["backbone.layer1.0.se.fc.0.weight"] = torch.ones(4, 64)
    report = load_pretrained_weights(
        build_model("resnet18", 7, pretrained=False), stored(state, tmp_path)
    )
    assert report.reasons["backbone.layer1.0.se.fc.0.weight"] == "the model has no such entry"
    assert report.reasons["heads.bottleneck.0.weight"] == "the model has no such entry"
    assert report.reasons["heads.weight"] == "size (5, 512), the model's is (7, 512)"
    assert report.untouched == ["classifier.weight", "classifier.bias"]


def drawn(model, seed):
    """The model, with every entry drawn anew."""
    torch.manual_seed(seed)
    for value in model.state_dict().values():
        if value.is_floating_point():
            value.copy_(torch.rand_like(value) * 0.1 + 0.5 / max(1, value[0].numel()))
    return model.eval()


def features(model, images):
    with torch.no_grad():
        return model(images)


def renamed(state, table):
    """The entries under the names that a table of prefixes gives; other entries are left out."""
    found = {}
    for key, value in state.items():
        for ours, theirs in table.items():
            if key.startswith(ours):
                found[theirs + key.removeprefix(ours)] = value
                break
    return found


SBS = {"stem": "fastreid", "non_local": [0, 2, 1, 0], "head": {"pool": "gem", "neck": "bnneck"}}
SBS_TABLE = {
    "layer2.NL_0.": "backbone.NL_2.0.",
    "layer2.NL_1.": "backbone.NL_2.1.",
    "layer3.NL_0.": "backbone.NL_3.0.",
    "head.pool.": "heads.pool_layer.",
    "head.neck.": "heads.bottleneck.0.",
    "classifier.": "heads.",
    "": "backbone.",
}


def test_non_local_blocks_stand_beside_the_stages_there(tmp_path, caplog):
    def build():
        return build_model("resnet18", 5, pretrained=False, **SBS)

    source, model = drawn(build(), 0), drawn(build(), 1)
    images = torch.rand(2, 3, 64, 32)
    path = stored({"model": renamed(source.state_dict(), SBS_TABLE)}, tmp_path)
    with caplog.at_level(logging.WARNING):
        report = load_pretrained_weights(model, path)
    assert (report.layout, report.untouched, report.discarded) == ("FastReID's keys", [], [])
    torch.testing.assert_close(features(model, images), features(source, images))
    assert "stem" not in caplog.text


def mgn():
    trunk = resnet.ResNet(resnet.BasicBlock, [1, 1, 3, 1], num_classes=1)
    return MGN(ResidualMaps(trunk, last_stride=1), 5, embedding=8)


HEADS = (
    "b1_head",
    "b2_head",
    "b3_head",
    "b21_head",
    "b22_head",
    "b31_head",
    "b32_head",
    "b33_head",
)


def mgn_table():
    layers = ["conv1", "bn1", "", "", "layer1", "layer2", "layer3.0"]
    table = {
        f"backbone.{name}.": f"backbone.{number}." for number, name in enumerate(layers) if name
    }
    for branch in range(3):
        for block in (1, 2):
            theirs = f"b{branch + 1}.0.{block - 1}."
            table[f"branches.{branch}.layer3.{block}."] = theirs
        table[f"branches.{branch}.layer4."] = f"b{branch + 1}.1."
    for number, head in enumerate(HEADS):
        table[f"parts.{number}.pools.0."] = f"{head}.pool_layer."
        table[f"parts.{number}.reduction."] = f"{head}.bottleneck.0."
        table[f"parts.{number}.neck."] = f"{head}.bottleneck.1."
        table[f"classifier.{number}."] = f"{head}."
    return table


def test_mgns_branches_and_heads_find_their_place(tmp_path):
    source, model = drawn(mgn(), 0), drawn(mgn(), 1)
    state = renamed(source.state_dict(), mgn_table())
    for head in HEADS:
        state[f"{head}.bottleneck.0.weight"] = state[f"{head}.bottleneck.0.weight"][..., None, None]
        state[f"{head}.bottleneck.1.bias"] = torch.zeros(8)
    report = load_pretrained_weights(model, stored({"model": state}, tmp_path))
    assert report.layout == "FastReID's keys of MGN"
    assert report.untouched == []
    assert report.discarded == [f"{head}.bottleneck.1.bias" for head in HEADS]
    images = torch.rand(2, 3, 96, 32)
    torch.testing.assert_close(features(model, images), features(source, images))
    for ours, value in source.state_dict().items():
        assert torch.equal(model.state_dict()[ours], value), ours


@pytest.mark.parametrize(
    ("name", "options", "neck", "remedy"),
    [
        ("resnet18", {}, "heads.bottleneck.0", "set model.stem=fastreid"),
        ("resnet18", {"stem": "bot"}, "heads.bottleneck.0", "set model.stem=fastreid"),
        ("resnet18", {"stem": "fastreid"}, "heads.bottleneck.0", ""),
        ("resnet18", {}, "heads.bnneck", ""),  # until September 2020
        ("resnet18", {"stem": "fastreid"}, "heads.bnneck", "set model.stem=torchvision"),
        ("osnet_x0_25", {}, "heads.bottleneck.0", ""),
    ],
)
def test_another_stem_is_told_once_with_its_remedy(name, options, neck, remedy, tmp_path, caplog):
    model = build_model(name, 5, pretrained=False, head={"neck": "bnneck"}, **options)
    with caplog.at_level(logging.WARNING):
        report = load_pretrained_weights(
            model, stored(fastreid(model, bottleneck=(neck,)), tmp_path)
        )
    assert report.untouched == []
    assert caplog.text.count("set model.stem=") == bool(remedy)
    assert remedy in caplog.text


def test_the_mgn_of_old_is_refused(tmp_path):
    model = mgn()
    state = renamed(model.state_dict(), mgn_table())
    state["b1_pool.1.weight"] = torch.ones(8, 512, 1, 1)
    with pytest.raises(CheckpointError, match="FastReID's MGN before 2021"):
        load_pretrained_weights(model, stored(state, tmp_path))


def test_images_that_were_normalised_otherwise_are_told(tmp_path, caplog):
    model = build_model("osnet_x0_25", 5, pretrained=False)
    state = fastreid(model)
    state["pixel_mean"] = torch.tensor([123.675, 116.28, 103.53]).view(1, 3, 1, 1)
    state["pixel_std"] = torch.tensor([58.395, 57.12, 57.375]).view(1, 3, 1, 1)
    with caplog.at_level(logging.WARNING):
        load_pretrained_weights(model, stored(state, tmp_path))
        assert "data.norm_" not in caplog.text
        state["pixel_mean"] = state["pixel_std"] = torch.full((1, 3, 1, 1), 127.5)
        load_pretrained_weights(model, stored(state, tmp_path))
    told = "data.norm_mean=[0.5, 0.5, 0.5] data.norm_std=[0.5, 0.5, 0.5]"
    assert told in caplog.text
