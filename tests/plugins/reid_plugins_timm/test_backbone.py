"""timm's networks under the contract, at the sizes of re-identification."""

from __future__ import annotations

import pytest
import torch
from reid_plugins_timm.backbone import TokenModel
from timm.optim import param_groups_layer_decay
from torch import nn
from torch.nn import functional as F

from reidcore.errors import ConfigError, UserError
from reidcore.models import build_model, load_pretrained_weights, outputs_of
from reidcore.optim import build_optimizer

SIZE = (64, 32)
IMAGES = torch.randn(4, 3, *SIZE, generator=torch.Generator().manual_seed(0))

# Name -> features, and maps of images of 64x32: convolutional, with maps of channels last, patches
# with and without tokens for the whole image, both in turn.
NETWORKS = {
    "test_resnet": (96, (96, 2, 1)),
    "test_convnext": (64, (64, 2, 1)),
    "test_mambaout": (256, (64, 2, 1)),
    "test_efficientnet": (256, (256, 2, 1)),
    "test_vit": (64, (64, 4, 2)),
    "test_vit3": (96, (96, 4, 2)),
    "test_vit_relpos": (96, (96, 4, 2)),
    "test_coatnet": (128, (128, 2, 1)),
}


def build(name, head=None, size=SIZE, **options):
    torch.manual_seed(0)
    options = {"pretrained": False, "loss": "triplet", **options}
    return build_model(f"timm/{name}", 4, image_size=size, head=head, **options)


@pytest.mark.parametrize("name", NETWORKS)
def test_every_call_of_the_contract(name) -> None:
    model, (dim, maps) = build(name), NETWORKS[name]
    logits, features = model(IMAGES)
    assert (logits.shape, features.shape) == ((4, 4), (4, dim))
    assert model.feature_dim == dim
    model.eval()
    features = model(IMAGES)
    assert features.shape == (4, dim)
    torch.testing.assert_close(outputs_of(model, IMAGES).features, features)
    assert model(IMAGES, return_featuremaps=True).shape == (4, *maps)
    assert model(IMAGES, return_featuremaps=True).is_floating_point()


@pytest.mark.parametrize("name", NETWORKS)
def test_features_are_what_timms_own_classifier_is_given(name) -> None:
    model = build(name).eval()
    with torch.no_grad():
        torch.testing.assert_close(model(IMAGES), model.backbone(IMAGES))


def test_patches_lie_on_the_maps_as_on_the_image() -> None:
    model = build("test_vit", size=(96, 32)).eval()
    images = torch.zeros(1, 3, 96, 32)
    marked = images.clone()
    marked[:, :, 32:48, 16:32] = 5.0  # the patch in row 2, column 1
    # Before the blocks mix them, a patch knows of its own pixels alone.
    model.backbone.blocks = nn.Identity()
    change = model(marked, return_featuremaps=True) - model(images, return_featuremaps=True)
    assert change.shape == (1, 64, 6, 2)
    assert change.abs().sum(dim=(0, 1)).nonzero().tolist() == [[2, 1]]


def test_maps_of_channels_last_are_turned() -> None:
    model = build("test_mambaout").eval()
    maps = model(IMAGES, return_featuremaps=True)
    torch.testing.assert_close(maps.permute(0, 2, 3, 1), model.backbone.forward_features(IMAGES))


@pytest.mark.parametrize("name", ["test_convnext", "test_vit"])
@pytest.mark.parametrize(
    "head",
    [
        {"neck": "bnneck"},
        {"pool": "gem", "embedding": 16, "neck": "bnneck", "classifier": "arcface"},
        {"pool": "avg+max", "non_local": True, "dropout": 0.1, "classifier": "circle"},
    ],
    ids=["neck", "arcface", "circle"],
)
def test_heads_learn_on_it(name, head) -> None:
    model, pids = build(name, head), torch.arange(4)
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
    losses = []
    for _ in range(12):
        loss = F.cross_entropy(outputs_of(model, IMAGES, pids).logits, pids)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert min(losses[-3:]) < 0.85 * losses[0]
    assert all(weight.grad is not None for weight in model.parameters())


def test_last_stride_1_for_convolutions_and_not_for_patches() -> None:
    model = build("test_resnet", {"last_stride": 1})
    assert model(IMAGES, return_featuremaps=True).shape == (4, 96, 4, 2)
    with pytest.raises(ConfigError, match="no layer that halves its last maps"):
        build("test_vit", {"last_stride": 1})


# -- sizes -----------------------------------------------------------------------------------------


def test_positions_are_made_for_the_images_and_other_sizes_work() -> None:
    model = build("test_vit", size=(96, 32)).eval()
    assert model.backbone.pos_embed.shape[1] == 6 * 2 + 1
    assert model(torch.zeros(1, 3, 96, 32)).shape == (1, 64)
    assert model(torch.zeros(1, 3, 64, 48)).shape == (1, 64)


def positions(rows: int, columns: int) -> torch.Tensor:
    """A class token's position of 5, then each patch's height on the image from -1 to 1."""
    heights = (2 * torch.arange(rows) + 1) / rows - 1
    patches = heights[:, None].expand(rows, columns).flatten()
    return torch.cat((torch.tensor([5.0]), patches))[None, :, None].repeat(1, 1, 64)


@pytest.mark.parametrize("before", [(4, 2), (14, 14), (12, 6), (9, 3)])
@pytest.mark.parametrize("prefix", ["", "backbone."], ids=["timm's keys", "ours"])
def test_positions_learnt_on_another_size_are_interpolated(before, prefix, tmp_path) -> None:
    own = (24, 8)
    model = build("test_vit", size=(384, 128))
    state = {key: torch.ones_like(value) for key, value in model.backbone.state_dict().items()}
    state["pos_embed"] = positions(*before)
    torch.save({prefix + key: value for key, value in state.items()}, tmp_path / "w.pth")
    report = load_pretrained_weights(model, tmp_path / "w.pth")
    assert report.resampled == ["backbone.pos_embed"]
    assert not report.discarded
    inside = slice(1 + 3 * own[1], 1 - 1 - 3 * own[1])  # the borders are extrapolated
    found, wanted = model.backbone.pos_embed, positions(*own)
    torch.testing.assert_close(found[:, 0], wanted[:, 0])
    torch.testing.assert_close(found[:, inside], wanted[:, inside], atol=0.15, rtol=0)


def test_positions_that_form_no_known_grid_are_left_out(tmp_path) -> None:
    model = build("test_vit")
    state = model.state_dict() | {"backbone.pos_embed": torch.zeros(1, 1 + 7, 64)}
    torch.save(state, tmp_path / "w.pth")
    report = load_pretrained_weights(model, tmp_path / "w.pth")
    assert report.discarded == ["backbone.pos_embed"]


def test_a_network_for_one_size_declares_it() -> None:
    model = build("test_vit_relpos")
    assert model.fixed_size == SIZE
    with pytest.raises(UserError, match=r"takes images of 64x32 .* these are 96x32"):
        model(torch.zeros(1, 3, 96, 32))


def test_without_a_size_images_are_256x128() -> None:
    model = build("test_vit_relpos", size=None)
    assert model.fixed_size == (256, 128)


def test_a_size_that_patches_do_not_divide_is_refused() -> None:
    with pytest.raises(ConfigError) as caught:
        build("test_vit", size=(60, 32))
    told = str(caught.value)
    assert "timm/test_vit does not take images of 60x32 (height x width)" in told
    assert "divisible by patch size (16)" in told
    assert "published for 160x160. Its patches fit 48x32 and 64x32. Set data.height" in told


def test_tokens_that_form_no_grid_give_no_maps() -> None:
    class Odd(nn.Module):
        num_prefix_tokens = 1

        def forward_features(self, images):
            return torch.zeros(len(images), 4, 5)

        def forward_head(self, tokens, pre_logits):
            return tokens[:, 0]

    model = TokenModel(Odd(), 4, "softmax", 5)
    assert model(IMAGES).shape == (4, 4)
    with pytest.raises(UserError, match="timm's Odd gives no feature maps"):
        model(IMAGES, return_featuremaps=True)


# -- options ---------------------------------------------------------------------------------------


def test_residual_branches_can_be_dropped_in_training() -> None:
    model = build("test_vit", drop_path_rate=0.5)
    first, second = (model(IMAGES)[1] for _ in range(2))
    assert not torch.equal(first, second)
    with pytest.raises(ConfigError, match="timm/ghostnet_050 has no branches to drop"):
        build("ghostnet_050", drop_path_rate=0.5)


@pytest.mark.parametrize("name", ["test_vit", "test_vit3", "test_vit_relpos"])
def test_features_can_be_the_mean_of_all_tokens(name) -> None:
    model = build(name, pool_tokens="all")
    (model(IMAGES)[0].sum() + model(IMAGES)[1].square().sum()).backward()
    assert all(weight.grad is not None for weight in model.parameters())
    model.eval()
    with torch.no_grad():
        tokens = model.backbone.forward_features(IMAGES)
        assert tokens.shape[1] == 4 * 2 + model.backbone.num_prefix_tokens
        wanted = model.backbone.fc_norm(sum(tokens.unbind(dim=1)) / tokens.shape[1])
        torch.testing.assert_close(model(IMAGES), wanted)
    assert model.feature_dim == tokens.shape[2]


@pytest.mark.parametrize("name", ["test_resnet", "test_convnext"])
def test_networks_without_tokens_have_none_to_pool(name) -> None:
    with pytest.raises(ConfigError, match=r"pool_tokens=all.*gives no tokens"):
        build(name, pool_tokens="all")


@pytest.mark.parametrize("option", [{"pool_tokens": "mean"}, {"drop_path_rate": 1.0}])
def test_options_out_of_range_are_refused(option) -> None:
    with pytest.raises(ConfigError, match=next(iter(option))):
        build("test_vit", **option)


@pytest.mark.parametrize("name", NETWORKS)
def test_rates_decay_with_depth_as_timms_do(name) -> None:
    model = build(name)
    optimizer = build_optimizer(model, lr=1.0, layer_decay=0.5)
    rates = {id(each): group["lr"] for group in optimizer.param_groups for each in group["params"]}
    theirs = param_groups_layer_decay(model.backbone, layer_decay=0.5)
    assert len({group["lr_scale"] for group in theirs}) > 2
    for group in theirs:
        # the classifier is ours, and lies above all that timm counts
        expected = [group["lr_scale"] * 0.5] * len(group["params"])
        assert [rates[id(each)] for each in group["params"]] == expected
    assert rates[id(model.classifier.weight)] == 1.0
