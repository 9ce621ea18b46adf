"""TransReID against the same network written down in plain functions."""

from __future__ import annotations

import math

import pytest
import torch
from reid_plugins_transformers.transreid.jigsaw import Jigsaw
from reid_plugins_transformers.transreid.model import PartTransReID, TransReID
from reid_plugins_transformers.vit.encoder import Architecture
from torch import Tensor, nn
from torch.nn import functional as F

from reidcore.errors import ConfigError
from reidcore.models import attach_head

WIDTH, DEPTH, HEADS = 24, 2, 3
TOY = Architecture(WIDTH, DEPTH, HEADS)
SIZE = (64, 48)
PARTS = 4
Weights = dict[str, Tensor]


def below(weights: Weights, prefix: str) -> Weights:
    return {k.removeprefix(prefix): v for k, v in weights.items() if k.startswith(prefix)}


def attention(tokens: Tensor, weights: Weights, scale: float) -> Tensor:
    """Multi-head self-attention, one head after the other."""
    bias = weights.get("qkv.bias")
    query, key, value = F.linear(tokens, weights["qkv.weight"], bias).split(tokens.shape[2], 2)
    seen = []
    width = tokens.shape[2] // HEADS
    for head in range(HEADS):
        part = slice(head * width, (head + 1) * width)
        alike = query[..., part] @ key[..., part].transpose(1, 2) * scale
        seen.append(torch.exp(alike) / torch.exp(alike).sum(-1, keepdim=True) @ value[..., part])
    return F.linear(torch.cat(seen, 2), weights["proj.weight"], weights["proj.bias"])


def norm(tokens: Tensor, weights: Weights) -> Tensor:
    mean = tokens.mean(-1, keepdim=True)
    variance = (tokens - mean).square().mean(-1, keepdim=True)
    return (tokens - mean) / torch.sqrt(variance + 1e-6) * weights["weight"] + weights["bias"]


def block(tokens: Tensor, weights: Weights, scale: float) -> Tensor:
    attended = attention(norm(tokens, below(weights, "norm1.")), below(weights, "attn."), scale)
    tokens = tokens + attended
    hidden = F.linear(
        norm(tokens, below(weights, "norm2.")), weights["mlp.fc1.weight"], weights["mlp.fc1.bias"]
    )
    hidden = hidden * (1 + torch.erf(hidden / math.sqrt(2))) / 2  # GELU
    return tokens + F.linear(hidden, weights["mlp.fc2.weight"], weights["mlp.fc2.bias"])


def patches(images: Tensor, weights: Weights, stride: int) -> Tensor:
    """Cut patch by patch: (B, 3, H, W) -> (B, N, D)."""
    kernel = weights["base.patch_embed.proj.weight"].flatten(1)
    cut = [
        images[:, :, top : top + 16, left : left + 16].flatten(1)
        for top in range(0, images.shape[2] - 15, stride)
        for left in range(0, images.shape[3] - 15, stride)
    ]
    return torch.stack(cut, 1) @ kernel.T + weights["base.patch_embed.proj.bias"]


def branch(tokens: Tensor, weights: Weights, name: str, scale: float) -> Tensor:
    behind = block(tokens, below(weights, f"{name}.0."), scale)
    return norm(behind, below(weights, f"{name}.1."))[:, 0]


def before_last(
    images: Tensor, weights: Weights, stride: int, scale: float, added: Tensor | None
) -> Tensor:
    cut = patches(images, weights, stride)
    tokens = torch.cat([weights["base.cls_token"].repeat(len(cut), 1, 1), cut], 1)
    tokens = tokens + weights["base.pos_embed"]
    if added is not None:
        tokens = tokens + added[:, None, :]
    for number in range(DEPTH - 1):
        tokens = block(tokens, below(weights, f"base.blocks.{number}."), scale)
    return tokens


def jigsaw(cut: list[Tensor], shift: int) -> list[list[Tensor]]:
    """Deal patches out by hand: lists of (B, D)."""
    count = len(cut)
    moved = cut[shift - 1 :] + cut[: shift - 1]
    if count % 2:
        moved.append(moved[-2])
    half = len(moved) // 2
    dealt = [patch for pair in zip(moved[:half], moved[half:], strict=True) for patch in pair]
    length = count // PARTS
    return [dealt[part * length : (part + 1) * length] for part in range(PARTS)]


def drawn(model: nn.Module) -> Weights:
    """Draw weights that no layer can hide: far from zero, norms and statistics included."""
    generator = torch.Generator().manual_seed(3)
    for name, value in model.state_dict().items():
        if value.is_floating_point():
            value.normal_(std=0.3, generator=generator)
            if name.endswith("running_var"):
                value.abs_().add_(0.5)
    return model.state_dict()


@pytest.fixture
def images() -> Tensor:
    return torch.randn(3, 3, *SIZE, generator=torch.Generator().manual_seed(1))


def toy(form: Architecture = TOY, **options) -> TransReID:
    kind = PartTransReID if form.part_tokens else TransReID
    return kind(form, 5, "triplet", **{"image_size": SIZE, **options})


@pytest.mark.parametrize(("stride", "count"), [(12, 5 * 3), (16, 4 * 3)])
def test_it_is_the_network_of_the_paper(images, stride, count):
    model = toy(
        sie="both", num_cameras=3, num_views=2, stride=stride, jigsaw=Jigsaw(3, 2, PARTS)
    ).eval()
    weights = drawn(model)
    cameras, views = torch.tensor([2, 0, 1]), torch.tensor([1, 1, 0])
    scale = (WIDTH // HEADS) ** -0.5
    side = 3.0 * torch.stack([weights["side.table"][row] for row in (5, 1, 2)])
    tokens = before_last(images, weights, stride, scale, side)
    assert tokens.shape[1] == 1 + count
    parts = [
        branch(torch.stack([tokens[:, 0], *part], 1), weights, "local_branch", scale)
        for part in jigsaw(list(tokens[:, 1:].unbind(1)), 3)
    ]
    vectors = [branch(tokens, weights, "global_branch", scale), *parts]
    expected = torch.cat([vectors[0], *(each / 4 for each in parts)], 1)
    with torch.no_grad():
        found = model(images, camid=cameras, view=views)
        outputs = model(images, outputs="all", camid=cameras, view=views)
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-4)
    assert found.shape == (3, model.feature_dim) == (3, 5 * WIDTH)
    for number, vector in enumerate(vectors):
        torch.testing.assert_close(outputs.features[number], vector, rtol=1e-4, atol=1e-4)
        necks = below(weights, f"necks.{number}.")
        deviation = torch.sqrt(necks["running_var"] + 1e-5)
        behind = (vector - necks["running_mean"]) / deviation * necks["weight"]
        logits = behind @ weights[f"classifier.{number}.weight"].T
        torch.testing.assert_close(outputs.logits[number], logits, rtol=1e-4, atol=1e-4)


def test_the_small_networks_attention_has_a_scale_of_its_own(images):
    form = Architecture(WIDTH, DEPTH, HEADS, 3.0, qkv_bias=False, attention_scale=WIDTH**-0.5)
    model = toy(form).eval()
    weights = drawn(model)
    scale = WIDTH**-0.5
    tokens = before_last(images, weights, 16, scale, None)
    with torch.no_grad():
        found = model(images)
    expected = branch(tokens, weights, "global_branch", scale)
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-4)


def test_part_tokens_are_described_beside_the_class_token(images):
    model = toy(Architecture(WIDTH, DEPTH, HEADS, part_tokens=3), test_features="after_neck").eval()
    weights = drawn(model)
    scale = (WIDTH // HEADS) ** -0.5
    cut = patches(images, weights, 16) + weights["base.pos_embed"]
    first = [weights["base.cls_token"], *(weights[f"base.part_tokens.{n}"] for n in range(3))]
    placed = [token + weights[f"base.prefix_positions.{n}"] for n, token in enumerate(first)]
    tokens = torch.cat([torch.cat(placed, 1).repeat(3, 1, 1), cut], 1)
    tokens = block(tokens, below(weights, "base.blocks.0."), scale)
    tokens = block(tokens, below(weights, "global_branch.0."), scale)
    four = norm(tokens, below(weights, "global_branch.1."))[:, :4]
    necked = [
        (four[:, n] - w["running_mean"]) / torch.sqrt(w["running_var"] + 1e-5) * w["weight"]
        for n, w in ((n, below(weights, f"necks.{n}.")) for n in range(4))
    ]
    expected = torch.cat([necked[0], (necked[1] + necked[2] + necked[3]) / 3], 1)
    with torch.no_grad():
        outputs = model(images, outputs="all")
        torch.testing.assert_close(model(images), expected, rtol=1e-4, atol=1e-4)
    seen = torch.cat([four[:, 0], four[:, 1:].mean(1)], 1)
    torch.testing.assert_close(outputs.features, seen, rtol=1e-4, atol=1e-4)
    logits = expected @ weights["classifier.0.weight"].T
    torch.testing.assert_close(outputs.logits, logits, rtol=1e-4, atol=1e-4)


def test_words_choose_the_side_of_the_neck(images):
    model = toy(metric_features="after_neck", test_features="after_neck").eval()
    drawn(model)
    with torch.no_grad():
        before = model.describe(images)[0]
        behind = model.necks[0](before)
        assert torch.equal(model(images), behind)
        assert torch.equal(model(images, outputs="all").features, behind)
        model.metric_features = model.test_features = "before_neck"
        assert torch.equal(model(images), before)
        assert torch.equal(model(images, outputs="all").features, before)


def test_without_a_neck_the_class_token_is_classified_as_it_is(images):
    model = toy(neck="none").eval()
    drawn(model)
    with torch.no_grad():
        outputs = model(images, outputs="all")
        assert torch.equal(outputs.features, model(images))
        layer = model.classifier[0]
        assert torch.equal(outputs.logits, F.linear(outputs.features, layer.weight, layer.bias))


def test_the_local_branch_begins_as_the_global_one():
    model = toy(jigsaw=Jigsaw())
    local = model.local_branch.state_dict()
    for key, value in model.global_branch.state_dict().items():
        assert torch.equal(value, local[key]), key
        assert value.data_ptr() != local[key].data_ptr(), key


def test_maps_are_the_tokens_of_patches(images):
    model = toy(jigsaw=Jigsaw()).eval()
    with torch.no_grad():
        maps = model(images, return_featuremaps=True)
        tokens = model.global_branch(model.base(images))
    assert maps.shape == (3, WIDTH, 4, 3)
    assert torch.equal(maps[:, :, 2, 1], tokens[:, 1 + 2 * 3 + 1])


def test_one_vector_without_a_neck_takes_a_head(images):
    head = {"neck": "bnneck", "pool": "avg"}
    model = attach_head(toy(neck="none"), head, 5, SIZE).eval()
    with torch.no_grad():
        maps = model(images, return_featuremaps=True)
        expected = model.head.neck(maps.mean((2, 3)))
        torch.testing.assert_close(model(images), expected)
    with pytest.raises(ConfigError, match="several vectors"):
        attach_head(toy(), head, 5, SIZE)


def test_depths_rise_from_the_patches_to_the_last_block():
    model = toy(jigsaw=Jigsaw(), sie="camera", num_cameras=2)
    depths = model.layer_depths()
    assert depths["base.patch_embed.proj.weight"] == depths["base.pos_embed"] == 0
    assert depths["base.blocks.0.mlp.fc1.weight"] == 1
    assert depths["global_branch.0.attn.qkv.weight"] == 2
    assert depths["local_branch.0.attn.qkv.weight"] == 2
    left_out = {name.partition(".")[0] for name, _ in model.named_parameters()} - {
        name.partition(".")[0] for name in depths
    }
    assert left_out == {"side", "necks", "classifier"}
    assert depths.keys().isdisjoint(["global_branch.1.weight", "local_branch.1.weight"])


def test_branches_are_dropped_more_often_towards_the_last_block():
    model = toy(Architecture(WIDTH, 3, HEADS), drop_path=0.2, jigsaw=Jigsaw())
    blocks = [*model.base.blocks, model.global_branch[0], model.local_branch[0]]
    rates = [getattr(each.drop_path1, "drop_prob", 0.0) for each in blocks]
    assert rates == pytest.approx([0.0, 0.1, 0.2, 0.2])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"image_size": (60, 40)}, r"60x40.*48x32 or 64x48"),
        ({"stride": 17}, "17 pixels apart"),
        ({"jigsaw": Jigsaw(parts=9)}, "model.jpm_parts is 9, of 8 patches"),
        ({"sie": "camera", "num_cameras": 1}, "cameras.*one alone.*model.sie=none"),
        ({"sie": "view", "num_cameras": 4}, "viewpoints.*none.*column 'view'"),
        ({"sie": "weather"}, "no side information 'weather'"),
        ({"neck": "none", "test_features": "after_neck"}, "after_neck, and there is no neck"),
        ({"neck": "none", "metric_features": "after_neck"}, "after_neck, and there is no neck"),
    ],
)
def test_what_it_cannot_take_is_refused(options, message):
    with pytest.raises(ConfigError, match=message):
        toy(**{"image_size": (64, 32), **options})


def test_patches_of_a_stem_do_not_overlap():
    form = Architecture(WIDTH, DEPTH, HEADS, stem="ics")
    with pytest.raises(ConfigError, match=r"16 pixels apart, not 12.*model\.stride"):
        toy(form, image_size=(64, 32), stride=12)
