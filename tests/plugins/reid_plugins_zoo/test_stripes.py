"""The family parts/<model>: stripes on any backbone."""

from __future__ import annotations

import pytest
import torch
from reid_plugins_zoo.resnet import resnet18
from torch import nn
from torch.nn import functional as F

from reidcore import hookimpl
from reidcore.errors import ConfigError, UnknownNameError, UserError
from reidcore.models import ReidModel, build_model, load_pretrained_weights
from reidcore.plugins import current_plugins, make_plugins
from reidcore.registry import entries, families

SIZE = (64, 32)


def build(name="parts/resnet18", **options):
    torch.manual_seed(0)
    given = {"pretrained": False, "image_size": SIZE, "last_stride": 1, "embedding": 6, **options}
    return build_model(name, 5, **given)


@pytest.fixture(scope="module")
def batch():
    return torch.randn(2, 3, *SIZE, generator=torch.Generator().manual_seed(1))


def rows(maps, start, stop):
    return maps[:, :, start:stop].mean((2, 3))


def test_each_stripe_is_pooled_reduced_and_normed_on_its_own(batch):
    model = build(stripes=[1, 2, 4], pool="avg").eval()
    for part in model.parts:
        nn.init.uniform_(part.neck.weight)
    with torch.no_grad():
        maps = model(batch, return_featuremaps=True)
        assert maps.shape == (2, 512, 4, 2)
        cuts = [(0, 4), (0, 2), (2, 4), (0, 1), (1, 2), (2, 3), (3, 4)]
        before = [
            rows(maps, *cut) @ part.reduction.weight.T
            for cut, part in zip(cuts, model.parts, strict=True)
        ]
        behind = [
            each / (1 + 1e-5) ** 0.5 * part.neck.weight
            for each, part in zip(before, model.parts, strict=True)
        ]
        outputs = model(batch, outputs="all")
        torch.testing.assert_close(model(batch), torch.cat(behind, 1))
    torch.testing.assert_close(outputs.features, tuple(before))
    logits = [part @ layer.weight.T for part, layer in zip(behind, model.classifier, strict=True)]
    torch.testing.assert_close(list(outputs.logits), logits)


def test_a_level_is_one_part_of_all_its_stripes(batch):
    model = build(stripes=[1, 4], reduce="level", pool="max", activation="gelu").eval()
    with torch.no_grad():
        seen = F.gelu(model(batch, return_featuremaps=True))
        pooled = torch.cat([seen[:, :, row : row + 1].amax((2, 3)) for row in range(4)], 1)
        whole, four = model(batch, outputs="all").features
    torch.testing.assert_close(whole, seen.amax((2, 3)) @ model.parts[0].reduction.weight.T)
    torch.testing.assert_close(four, pooled @ model.parts[1].reduction.weight.T)
    assert model.feature_dim == 12


def test_which_features_are_seen_and_compared_is_chosen(batch):
    usual = build(stripes=[2]).eval()
    other = build(stripes=[2], metric_features="after_neck", test_features="before_neck").eval()
    with torch.no_grad():
        before = torch.cat(usual(batch, outputs="all").features, 1)
        torch.testing.assert_close(other(batch), before)
        behind = torch.cat(other(batch, outputs="all").features, 1)
        torch.testing.assert_close(behind, usual(batch))
    assert not torch.equal(before, behind)


@pytest.mark.parametrize(
    ("name", "options"),
    [("parts/osnet_x0_25", {}), ("parts/zoo/resnet18", {}), ("parts/timm/test_resnet", {})],
)
def test_every_parameter_of_any_backbone_learns(name, options, batch):
    if "timm" in name:
        pytest.importorskip("timm")
    model = build(name, stripes=[1, 2], **options)
    logits, features = model(batch, outputs="all")
    sum(each.square().sum() for each in (*logits, *features)).backward()
    assert [each for each, value in model.named_parameters() if value.grad is None] == []


def test_options_of_the_backbone_reach_it(batch):
    model = build(stripes=[1], backbone={"stem": "bot", "non_local": [0, 1, 0, 0]})
    assert model.backbone.stem == "bot"
    assert "NL_0" in dict(model.backbone.layer2.named_children())
    with pytest.raises(UnknownNameError, match=r"has no option 'stm'.*'stem'"):
        build(backbone={"stm": "bot"})
    with pytest.raises(UnknownNameError, match="The core gives 'image_size' itself"):
        build(backbone={"image_size": SIZE})


def test_weights_of_the_backbone_alone_are_loaded(tmp_path):
    source = build_model("resnet18", 9, pretrained=False)
    torch.save(source.state_dict(), tmp_path / "resnet18.pth")
    model = build()
    report = load_pretrained_weights(model, tmp_path / "resnet18.pth")
    assert torch.equal(model.backbone.layer4[1].conv2.weight, source.layer4[1].conv2.weight)
    assert all(key.startswith(("parts.", "classifier.")) for key in report.untouched)


def test_depths_sizes_and_positions_are_the_backbones():
    class Seeing(ReidModel):
        inputs = ("camid",)
        fixed_size = SIZE
        stages = (("conv",),)

        def __init__(self):
            super().__init__()
            self.conv, self.classifier = nn.Conv2d(3, 4, 3), nn.Linear(4, 1)
            self.feature_dim = 4

        def featuremaps(self, images, camid=None):
            shift = 0 if camid is None else camid.float()[:, None, None, None]
            return self.conv(images) + shift

        def embed(self, maps):
            return maps.mean((2, 3))

        def describe(self, images, camid=None):
            return self.embed(self.featuremaps(images, camid))

        def resampled(self, name, entry):
            return entry[:1] if name == "conv.bias" else None

    from reid_plugins_zoo.parts import StripeModel, parts_of

    parts = parts_of([2], "stripe", channels=4, embedding=None, pool="avg")
    model = StripeModel(Seeing(), parts, 5, stripes=[2]).eval()
    assert model.fixed_size == SIZE
    assert model.layer_depths() == {"backbone.conv.weight": 0, "backbone.conv.bias": 0}
    assert model.resampled("backbone.conv.bias", torch.ones(4)).shape == (1,)
    assert model.resampled("conv.bias", torch.ones(4)) is None
    images = torch.zeros(2, 3, *SIZE)
    with torch.no_grad():
        near, far = model(images, camid=torch.tensor([0, 3]))
    assert not torch.allclose(near, far)


@pytest.mark.parametrize(
    ("name", "options", "told"),
    [
        ("parts/hacnn", {"image_size": (160, 64)}, "describes an image by several vectors"),
        ("parts/resnet18", {"stripes": [1, 5]}, "have 4 rows, which cannot be cut into 5 stripes"),
        ("parts/resnet18", {"reduce": "half"}, "expected 'stripe' or 'level'"),
        ("parts/resnet18", {"stripes": []}, "stripes"),
        ("parts/resnet18", {"pool": {}}, "pool"),
    ],
)
def test_what_cannot_be_is_refused(name, options, told):
    with pytest.raises(ConfigError, match=told):
        build(name, **options)


def test_unknown_members_are_refused_with_the_nearest():
    with pytest.raises(UnknownNameError, match="Did you mean 'resnet18'"):
        build("parts/resnt18")
    with pytest.raises(UnknownNameError, match="stripes out of stripes"):
        build("parts/parts/resnet18")
    with pytest.raises(UnknownNameError, match="Did you mean 'gem'"):
        build(pool="gme")


def test_lower_images_than_it_was_built_for_are_refused_in_its_words(batch):
    model = build(stripes=[4]).eval()
    with pytest.raises(UserError, match="have 2 rows, which cannot be cut into 4 stripes"):
        model(batch[:, :, :32])


def test_a_model_of_given_plugins_alone_is_found():
    class Brought:
        @hookimpl
        def reid_register_models(self, registry):
            registry.add("brought", resnet18)

    plugins = make_plugins(extra=[Brought()])
    model = build("parts/brought", stripes=[2], plugins=plugins)
    assert model.training
    assert all(layer.training for layer in model.modules())
    assert model.feature_dim == 12


def test_the_family_lists_what_it_can_be_built_on():
    family = next(each for each in families("models") if each.prefix == "parts")
    plain = [entry.name for entry in entries("models", current_plugins())]
    assert family.names() == sorted(f"parts/{name}" for name in plain)
