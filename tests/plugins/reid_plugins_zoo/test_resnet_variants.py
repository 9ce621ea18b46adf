"""Stems and non-local blocks: against formulas written out, and what they leave alone."""

from __future__ import annotations

import pytest
import torch
from reid_plugins_zoo.resnet_variants import NonLocal
from torch import nn
from torch.nn import functional as F

from reidcore.errors import ConfigError, UserError
from reidcore.models import build_model


def resnet18(**options):
    torch.manual_seed(0)
    return build_model("resnet18", 3, pretrained=False, **options).eval()


@pytest.fixture(scope="module")
def batch():
    return torch.randn(2, 3, 65, 34, generator=torch.Generator().manual_seed(1))


def after_stem(model, images):
    seen = []
    handle = model.layer1.register_forward_pre_hook(lambda layer, inputs: seen.append(inputs[0]))
    with torch.no_grad():
        model(images)
    handle.remove()
    return seen[0]


def pooled_without_margin(maps):
    """The maximum over 3x3, two apart, over what there is at the far edges."""
    rows, columns = maps.shape[2] // 2, maps.shape[3] // 2
    windows = [
        maps[:, :, 2 * row : 2 * row + 3, 2 * column : 2 * column + 3].amax((2, 3))
        for row in range(rows)
        for column in range(columns)
    ]
    return torch.stack(windows, 2).unflatten(2, (rows, columns))


def test_each_stem_computes_what_its_source_does(batch):
    plain = resnet18()
    with torch.no_grad():
        normed = plain.bn1(plain.conv1(batch))
        expected = {
            "torchvision": F.max_pool2d(normed.relu(), 3, 2, padding=1),
            "bot": F.max_pool2d(normed, 3, 2, padding=1),
            "fastreid": pooled_without_margin(normed.relu()),
        }
    for stem, maps in expected.items():
        torch.testing.assert_close(after_stem(resnet18(stem=stem), batch), maps)
    assert expected["bot"].min() < 0
    assert expected["fastreid"].shape != expected["torchvision"].shape


def test_a_stem_changes_no_key(batch):
    states = [resnet18(stem=stem).state_dict() for stem in ("torchvision", "bot", "fastreid")]
    assert states[0].keys() == states[1].keys() == states[2].keys()


@pytest.mark.parametrize("stem", ["torchvision", "bot", "fastreid"])
@pytest.mark.parametrize("name", ["resnet18", "resnet50_ibn_a", "resnet50_ibn_b"])
def test_the_smallest_size_depends_on_the_stem(name, stem):
    with torch.device("meta"):
        model = build_model(name, 2, pretrained=False, stem=stem).train()
        height, width = model.min_size
        # Norms over a single place are refused in training, which the smallest size leaves out.
        assert model.featuremaps(torch.empty(2, 3, height, width)).shape[:2] == (2, model.channels)
        for smaller in {(height - 1, width), (height, width - 1)} - {(0, 1), (1, 0)}:
            with pytest.raises((RuntimeError, ValueError)):
                model.featuremaps(torch.empty(2, 3, *smaller))
            with pytest.raises(UserError, match=f"takes images of {height}x{width} or larger"):
                model(torch.empty(2, 3, *smaller))


def naive(block, maps):
    """The block as its authors write it: a weight for each pair of places, over their number."""
    theta, phi, g = (layer(maps).flatten(2) for layer in (block.theta, block.phi, block.g))
    weights = torch.einsum("bci,bcj->bij", theta, phi) / maps[0, 0].numel()
    seen = torch.einsum("bij,bcj->bci", weights, g)
    return maps + block.W(seen.reshape(*seen.shape[:2], *maps.shape[2:]))


@pytest.mark.parametrize("inner", [1, 5])
def test_a_non_local_block_weighs_places_by_dot_products(inner):
    torch.manual_seed(0)
    block = NonLocal(10, inner)
    maps = torch.randn(2, 10, 4, 3)
    torch.testing.assert_close(block(maps), maps, rtol=0, atol=0)  # it starts as the identity
    nn.init.normal_(block.W[1].weight)
    block.eval()
    torch.testing.assert_close(block(maps), naive(block, maps))
    assert not torch.allclose(block(maps), maps, atol=1e-2)


def test_non_local_blocks_stand_behind_the_last_blocks_of_a_stage():
    model = resnet18(non_local=[0, 2, 1, 0])
    names = [[name for name, _ in stage.named_children()] for stage in (model.layer2, model.layer3)]
    assert names == [["0", "NL_0", "1", "NL_1"], ["0", "1", "NL_0"]]
    assert model.layer2.NL_0.g.weight.shape == (1, 128, 1, 1)
    halves = resnet18(non_local=[0, 0, 0, 1], non_local_channels=None)
    assert halves.layer4.NL_0.g.weight.shape == (256, 512, 1, 1)


def test_non_local_blocks_begin_as_if_they_were_not_there(batch):
    plain, attending = resnet18(), resnet18(non_local=[0, 2, 2, 0])
    attending.load_state_dict(plain.state_dict(), strict=False)
    with torch.no_grad():
        torch.testing.assert_close(attending(batch), plain(batch))
        for stage in (attending.layer2, attending.layer3):
            nn.init.normal_(stage.NL_1.W[1].weight)
        assert not torch.allclose(attending(batch), plain(batch), rtol=1e-3)


def test_more_non_local_blocks_than_a_stage_has_are_refused():
    with pytest.raises(ConfigError, match="stage 3 has 2 blocks, which 3 non-local ones"):
        resnet18(non_local=[0, 2, 3, 0])


@pytest.mark.parametrize(
    "options",
    [{"non_local": [0, 2, 3]}, {"non_local": [0, -1, 0, 0]}, {"stem": "caffe"}],
)
def test_values_of_another_kind_are_refused(options):
    with pytest.raises(ConfigError):
        resnet18(**options)


def test_a_head_finds_the_last_stride_behind_non_local_blocks(batch):
    head = {"pool": "gem", "neck": "bnneck", "last_stride": 1}
    model = resnet18(head=head, stem="fastreid", non_local=[0, 2, 2, 0])
    with torch.no_grad():
        assert model(batch, return_featuremaps=True).shape == (2, 512, 4, 2)
        assert model(batch).shape == (2, 512)
