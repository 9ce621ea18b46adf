"""Swin Transformers: what they compute, at any size, and how their parameters are grouped."""

from __future__ import annotations

import pytest
import torch
from reid_plugins_transformers.swin.blocks import drop_path_rates
from reid_plugins_transformers.swin.layouts import read_solider
from reid_plugins_transformers.swin.network import Architecture, SoliderSwin
from timm.models.swin_transformer import SwinTransformer

from reidcore import hookimpl
from reidcore.errors import ConfigError
from reidcore.models import build_model
from reidcore.testing import conformance, tiny_run
from tests.plugins.reid_plugins_transformers.swin import reference

TOY = Architecture(8, (2, 2, 2), (2, 4, 4), patch=4, window=3)
SIZES = {"depths": TOY.depths, "heads": TOY.heads, "patch": TOY.patch, "window": TOY.window}


def toy(architecture=TOY, **options) -> SoliderSwin:
    torch.manual_seed(0)
    return SoliderSwin(architecture, 5, "triplet", **options)


def filled(file, **options) -> SoliderSwin:
    """Return a network with the weights of one of SOLIDER's files."""
    model = toy(**options).eval()
    layout = read_solider(model, file)
    assert layout is not None
    model.load_state_dict(dict(layout.tensors), strict=False)
    return model


# Maps of 9x6, then 5x3 and 3x2 where the windows are 3 wide; padding at every stage; pixels too.
@pytest.mark.parametrize("size", [(36, 24), (45, 30), (9, 50)])
def test_features_of_published_weights(size) -> None:
    file = reference.random_file(TOY.channels, classes=5, **SIZES)
    images = torch.randn(2, 3, *size, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        found = filled(file)(images)
    wanted = reference.features(file, images, semantic_weight=0.2, **SIZES)
    torch.testing.assert_close(found, wanted, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("share", [0.0, 0.7])
def test_the_semantic_weight_steers_the_features(share) -> None:
    file = reference.random_file(TOY.channels, classes=5, **SIZES)
    images = torch.randn(2, 3, 24, 24, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        found = filled(file, semantic_weight=share)(images)
    wanted = reference.features(file, images, semantic_weight=share, **SIZES)
    torch.testing.assert_close(found, wanted, atol=1e-5, rtol=1e-4)


def test_without_controllers_it_is_timms_network_where_windows_fit() -> None:
    peer = SwinTransformer(
        img_size=(48, 24),
        patch_size=4,
        embed_dim=8,
        depths=(2, 2),
        num_heads=(2, 4),
        window_size=3,
        num_classes=0,
        always_partition=True,
    ).eval()
    torch.manual_seed(0)
    for weight in peer.parameters():
        torch.nn.init.normal_(weight, std=0.3)
    model = toy(Architecture(8, (2, 2), (2, 4), 4, 3), semantic_weight=None).eval()
    model.backbone.load_state_dict(peer.state_dict())
    images = torch.randn(2, 3, 48, 24)
    with torch.no_grad():
        torch.testing.assert_close(model(images), peer(images), atol=1e-5, rtol=1e-4)


def test_the_contract() -> None:
    model, images = toy(), torch.randn(2, 3, 40, 24)
    logits, features = model(images)
    assert (logits.shape, features.shape) == ((2, 5), (2, 32))
    maps = model.eval()(images, return_featuremaps=True)
    assert maps.shape == (2, 32, 3, 2)
    torch.testing.assert_close(model(images), maps.mean((2, 3)))


def test_any_number_of_images_fits_what_is_exported() -> None:
    model = toy(Architecture(8, (1, 2), (2, 2), 4, 3)).eval().requires_grad_(False)
    two, three = torch.randn(2, 3, 20, 16), torch.randn(3, 3, 20, 16)
    batch = torch.export.Dim("batch", min=1, max=8)
    exported = torch.export.export(model, (two,), dynamic_shapes=[{0: batch}])
    torch.testing.assert_close(exported.module()(three), model(three))


def test_controllers_are_no_parameters_and_are_kept_in_checkpoints() -> None:
    model = toy()
    controllers = {key for key in model.state_dict() if ".semantic." in key}
    assert len(controllers) == 2 * 4
    assert controllers.isdisjoint(dict(model.named_parameters()))
    outputs = model(torch.randn(2, 3, 24, 24), outputs="all")
    (outputs.logits.sum() + outputs.features.square().sum()).backward()
    assert all(weight.grad is not None for weight in model.parameters())


def test_branches_are_dropped_in_training_and_more_of_the_last_ones() -> None:
    assert drop_path_rates(0.3, (2, 2)) == [[0.0, pytest.approx(0.1)], [pytest.approx(0.2), 0.3]]
    assert drop_path_rates(0.3, (1,)) == [[0.0]]
    model, images = toy(drop_path_rate=0.9), torch.randn(1, 3, 24, 24).expand(8, -1, -1, -1)
    different = model(images).features.std(dim=0).max()
    alike = model.eval()(images).std(dim=0).max()
    assert different > 0.01 > alike


def test_depths_of_all_parameters_below_the_last_norm() -> None:
    depths = toy().layer_depths()
    assert {name: depths[f"backbone.{name}"] for name in EXPECTED_DEPTHS} == EXPECTED_DEPTHS
    without = {name for name, _ in toy().named_parameters() if name not in depths}
    assert without == {
        "backbone.norm.weight",
        "backbone.norm.bias",
        "classifier.weight",
        "classifier.bias",
    }


EXPECTED_DEPTHS = {
    "patch_embed.proj.weight": 0,
    "patch_embed.norm.bias": 0,
    "layers.0.blocks.0.attn.relative_position_bias_table": 1,
    "layers.0.blocks.1.mlp.fc2.bias": 2,
    "layers.1.downsample.reduction.weight": 2,
    "layers.1.blocks.0.norm1.weight": 3,
    "layers.2.downsample.norm.weight": 4,
    "layers.2.blocks.1.attn.qkv.weight": 6,
}


@pytest.mark.parametrize(
    ("name", "millions", "dim", "depth"),
    # Parameters as timm counts them without a classifier.
    [
        ("solider_swin_t", 27.519354, 768, 12),
        ("solider_swin_s", 48.837258, 768, 24),
        ("solider_swin_b", 86.743224, 1024, 24),
    ],
)
def test_the_published_sizes(name, millions, dim, depth) -> None:
    with torch.device("meta"):
        model = build_model(name, 751, pretrained=False)
    counted = sum(weight.numel() for weight in model.backbone.parameters())
    assert counted / 1e6 == pytest.approx(millions, abs=1e-7)
    assert model.feature_dim == dim
    assert max(model.layer_depths().values()) == depth
    assert model.backbone.layers[2].semantic.share == 0.2


@pytest.mark.parametrize(
    ("options", "said"),
    [({"semantic_weight": 1.5}, "semantic_weight"), ({"drop_path_rate": 1.0}, "drop_path_rate")],
)
def test_shares_beyond_1_are_refused(options, said) -> None:
    with pytest.raises(ConfigError, match=said):
        build_model("solider_swin_t", 3, pretrained=False, **options)


class ToyPlugin:
    """Registers a network that is small enough to train in a test."""

    @hookimpl
    def reid_register_models(self, registry) -> None:
        registry.add("toy_swin", build_toy, summary="a small Swin Transformer")


def build_toy(num_classes: int, loss: str = "softmax", pretrained: bool = True) -> SoliderSwin:
    """Build a network of three small stages."""
    return SoliderSwin(TOY, num_classes, loss)


class TestToy(conformance.ModelConformance):
    """The contract of models."""

    plugins = (ToyPlugin(),)
    name = "toy_swin"
    image_size = (44, 28)


def test_it_learns_as_the_recipes_have_it(tmp_path) -> None:
    overrides = [
        *("model.head.neck=bnneck", "model.head.test_features=before_neck"),
        *("loss.terms={softmax: 1.0, triplet: 1.0}", "loss.triplet.soft=true"),
        *("sampler.train_sampler=RandomIdentitySampler", "train.optim=sgd", "train.lr=0.01"),
        "train.groups={bias: {lr_mult: 2.0}, '*relative_position_bias_table': {lr_mult: 2.0}}",
    ]
    run = tiny_run(ToyPlugin(), save_dir=tmp_path, model="toy_swin", overrides=overrides)
    assert 0 < run.result["targets"]["tiny"]["mAP"] <= 1
    rates = {group["name"]: group["lr"] for group in run.engine.optimizer.param_groups}
    assert sorted(rates.values()) == pytest.approx([0.01, 0.02, 0.02])
