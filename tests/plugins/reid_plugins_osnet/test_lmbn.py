"""LightMBN: its parts computed one by one, and the checkpoints of its authors."""

from __future__ import annotations

import keyword
import re

import pytest
import torch

from reid_plugins_osnet import lmbn, lmbn_layout
from reid_plugins_osnet.osnet import OSNet, Variant
from reidcore.models import load_pretrained_weights

WIDTHS = (16, 64, 96, 128)


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(0)
    trunk = OSNet(Variant(WIDTHS), num_classes=1)
    model = lmbn.LightMBN(trunk, 5, "triplet", feature_dim=6)
    for layer in model.modules():
        if isinstance(layer, torch.nn.modules.batchnorm._BatchNorm):
            layer.running_mean.normal_()
            layer.running_var.uniform_(0.5, 2)
            layer.weight.data.uniform_(0.5, 1.5)
    return model


def naive_parts(model, images, dropped_rows):
    """Return the features of the seven parts of one image before their necks, place by place."""
    shared = model.backbone(images)
    whole, part, channel = (model.branches[name](shared) for name in ("whole", "part", "channel"))
    whole, part, channel = model.bottleneck(whole)[0], part[0], channel[0]
    height = whole.shape[1]
    rows = {row: float(whole[:, row].detach().square().sum(0).max()) for row in range(height)}
    strongest = sorted(rows, key=rows.__getitem__)[height - dropped_rows :]
    holed = whole.clone()
    holed[:, strongest] = 0
    pooled = [
        whole.flatten(1).mean(1),
        holed.flatten(1).max(1).values,
        part.flatten(1).max(1).values,
        part[:, : height // 2].flatten(1).mean(1),
        part[:, height // 2 :].flatten(1).mean(1),
    ]
    parts = [layer.weight @ vector for layer, vector in zip(model.reductions, pooled, strict=True)]
    weight = model.shared.conv.weight[:, :, 0, 0]
    bn = model.shared.bn
    for group in channel.flatten(1).mean(1).split(WIDTHS[-1] // 2):
        scaled = (weight @ group - bn.running_mean) / (bn.running_var + bn.eps).sqrt()
        parts.append((scaled * bn.weight + bn.bias).clamp(min=0))
    return parts


def test_images_are_compared_by_seven_parts_of_length_one(model):
    image = torch.randn(1, 3, 96, 16)
    with torch.no_grad():
        found = model.eval()(image)[0].split(6)
        expected = naive_parts(model, image, dropped_rows=0)
    assert len(found) == len(expected) == 7
    assert model.feature_dim == 42
    for number, (part, before) in enumerate(zip(found, expected, strict=True)):
        neck = model.necks[number]
        assert neck.bias is None
        behind = (before - neck.running_mean) / (neck.running_var + neck.eps).sqrt() * neck.weight
        torch.testing.assert_close(part, behind / behind.norm(), rtol=1e-4, atol=1e-5)


def test_metric_losses_see_the_whole_person_before_the_necks(model):
    image = torch.randn(1, 3, 96, 16)
    with torch.no_grad():
        outputs = model.eval()(image, outputs="all")
        expected = naive_parts(model, image, dropped_rows=0)
    assert len(outputs.features) == 3
    for found, part in zip(outputs.features, expected, strict=False):
        torch.testing.assert_close(found[0], part, rtol=1e-4, atol=1e-5)
    assert [each.shape for each in outputs.logits] == [(1, 5)] * 7
    for number in range(7):
        expected_logits = (
            model.classifier[number].weight
            @ model.necks[number](torch.stack([naive_parts(model, image, 0)[number]])).flatten()
        )
        torch.testing.assert_close(outputs.logits[number][0], expected_logits)


def test_the_strongest_third_of_the_rows_is_dropped_in_training():
    drop = lmbn.TopDropBlock()
    maps = torch.rand(2, 4, 6, 3) * 0.1
    maps[0, 1, 2, 0], maps[0, 2, 5, 2] = 3, -4
    maps[1, 0, 0, 1], maps[1, 3, 1, 1] = 2, 9
    dropped = drop.train()(maps)
    assert (dropped[0].abs().sum((0, 2)) == 0).nonzero().flatten().tolist() == [2, 5]
    assert (dropped[1].abs().sum((0, 2)) == 0).nonzero().flatten().tolist() == [0, 1]
    assert torch.equal(dropped[0, :, [0, 1, 3, 4]], maps[0, :, [0, 1, 3, 4]])
    assert torch.equal(drop.eval()(maps), maps)


def test_only_the_second_part_is_dropped(model):
    """Six rows of the last maps, of which two are dropped."""
    image = torch.randn(1, 3, 96, 16)
    with torch.no_grad():
        model.eval()
        model.drop.train()
        outputs = model(image, outputs="all")
        expected = naive_parts(model, image, dropped_rows=2)
        torch.testing.assert_close(outputs.features[1][0], expected[1], rtol=1e-4, atol=1e-5)
        torch.testing.assert_close(outputs.features[0][0], expected[0], rtol=1e-4, atol=1e-5)
        assert not torch.allclose(expected[1], naive_parts(model, image, dropped_rows=0)[1])


PUBLISHED_NAMES = [
    (r"^backbone\.conv1\.", "backone.0."),
    (r"^backbone\.conv2\.", "backone.2."),
    (r"^backbone\.conv3\.", "backone.3."),
    (r"^branches\.whole\.", "global_branch."),
    (r"^branches\.part\.", "partial_branch."),
    (r"^branches\.(\w+)\.", r"\1_branch."),
    (r"_branch\.conv3\.", "_branch.0."),
    (r"_branch\.conv4\.", "_branch.1."),
    (r"_branch\.conv5\.", "_branch.2."),
    (r"^bottleneck\.", "batch_drop_block.drop_batch_bottleneck."),
    (r"^shared\.conv\.", "shared.0."),
    (r"^shared\.bn\.", "shared.1."),
    (r"^(reductions|necks|classifier)\.(5|6)\.", r"\1.ch_\2."),
    (r"\.ch_5\.", ".ch_0."),
    (r"\.ch_6\.", ".ch_1."),
    (r"^(reductions|necks|classifier)\.1\.", r"\1.dropped."),
    (r"^(reductions|necks|classifier)\.2\.", r"\1.1."),
    (r"^(reductions|necks|classifier)\.3\.", r"\1.2."),
    (r"^(reductions|necks|classifier)\.4\.", r"\1.3."),
    (r"\.dropped\.", ".4."),
    (r"^reductions\.(\w+)\.", r"reduction_\1.reduction."),
    (r"^necks\.(\w+)\.", r"reduction_\1.bn."),
    (r"^classifier\.(\w+)\.", r"reduction_\1.classifier."),
]


def published(model):
    """Return the state dict of a model as the authors' code would save it."""
    state = {}
    for name, value in model.state_dict().items():
        key = name
        for pattern, replacement in PUBLISHED_NAMES:
            key = re.sub(pattern, replacement, key)
        state[key] = value[:, :, None, None] if ".reduction." in key else value.clone()
    for head in ("0", "1", "2", "3", "4", "ch_0", "ch_1"):
        state[f"reduction_{head}.bn.bias"] = torch.zeros(6)
    return state


def test_published_checkpoints_load_by_their_own_names(model, tmp_path):
    state = published(model)
    assert {
        "backone.0.conv.weight",
        "backone.2.2.0.conv.weight",
        "backone.3.gate.fc1.bias",
        "partial_branch.0.1.conv2d.3.bn.running_var",
        "channel_branch.0.2.0.bn.weight",
        "global_branch.2.conv.weight",
        "reduction_4.reduction.weight",
        "reduction_ch_1.classifier.weight",
        "shared.1.running_mean",
        "batch_drop_block.drop_batch_bottleneck.conv3.bn.bias",
    } <= state.keys()
    torch.save({"state_dict": state}, tmp_path / "published.pth")
    fresh = lmbn.LightMBN(OSNet(Variant(WIDTHS), num_classes=1), 5, "triplet", feature_dim=6)
    loaded = load_pretrained_weights(fresh, tmp_path / "published.pth")
    assert loaded.layout == "LightMBN's keys"
    assert not loaded.untouched
    assert all(key.endswith(".bn.bias") for key in loaded.discarded)
    assert len(loaded.discarded) == 7
    for name, value in model.state_dict().items():
        assert torch.equal(value, fresh.state_dict()[name]), name


def test_other_files_are_left_alone(model):
    assert lmbn_layout.read(model, {"backbone.conv1.weight": torch.zeros(1)}) is None


def test_no_layer_is_named_by_a_word_of_python(model):
    """torch.export writes ``self.branches.whole`` into code."""
    names = {part for name, _ in model.named_modules() for part in name.split(".")}
    assert not [name for name in names if keyword.iskeyword(name)]


def test_it_has_the_size_that_its_summary_states():
    with torch.device("meta"):
        model = lmbn.lmbn_n(3, pretrained=False)
    counted = sum(w.numel() for n, w in model.named_parameters() if "classifier" not in n)
    assert round(counted / 1e6, 2) == 6.46
    maps = model(torch.empty(2, 3, 384, 128, device="meta"), return_featuremaps=True)
    assert maps.shape == (2, 3 * 512, 24, 8)


def test_branches_start_alike_and_are_stages_of_one_depth(model):
    fresh = lmbn.LightMBN(OSNet(Variant(WIDTHS), num_classes=1), 2)
    states = [branch.state_dict() for branch in fresh.branches.values()]
    for name, value in states[0].items():
        assert all(torch.equal(value, state[name]) for state in states[1:])
    depths = fresh.layer_depths()
    assert {depths[f"branches.{name}.conv4.0.conv1.conv.weight"] for name in fresh.branches} == {3}
    assert depths["backbone.conv1.conv.weight"] == 0
    assert all(name.startswith(("backbone.", "branches.")) for name in depths)
    unassigned = {name for name, _ in fresh.named_parameters()} - depths.keys()
    assert not any(name.startswith(("backbone.", "branches.")) for name in unassigned)
