"""Published files of vision transformers fill the same networks here.

The authors' keys are written out below, layer by layer, and their tensors drawn.
"""

from __future__ import annotations

import pytest
import torch
from reid_plugins_transformers.transreid.jigsaw import Jigsaw
from reid_plugins_transformers.transreid.model import PartTransReID, TransReID
from reid_plugins_transformers.vit.encoder import Architecture
from timm.models.vision_transformer import VisionTransformer

from reidcore.errors import CheckpointError
from reidcore.models import load_pretrained_weights

WIDTH, DEPTH = 12, 2
TOY = Architecture(WIDTH, DEPTH, 2)
SIZE = (64, 32)
GRID = 4 * 2

# The entries of a block, in timm's first releases and in all that came from them.
BLOCK = {
    "norm1.weight": (WIDTH,),
    "norm1.bias": (WIDTH,),
    "attn.qkv.weight": (3 * WIDTH, WIDTH),
    "attn.qkv.bias": (3 * WIDTH,),
    "attn.proj.weight": (WIDTH, WIDTH),
    "attn.proj.bias": (WIDTH,),
    "norm2.weight": (WIDTH,),
    "norm2.bias": (WIDTH,),
    "mlp.fc1.weight": (4 * WIDTH, WIDTH),
    "mlp.fc1.bias": (4 * WIDTH,),
    "mlp.fc2.weight": (WIDTH, 4 * WIDTH),
    "mlp.fc2.bias": (WIDTH,),
}
ENCODER = {
    "cls_token": (1, 1, WIDTH),
    "pos_embed": (1, 1 + GRID, WIDTH),
    "patch_embed.proj.weight": (WIDTH, 3, 16, 16),
    "patch_embed.proj.bias": (WIDTH,),
    "norm.weight": (WIDTH,),
    "norm.bias": (WIDTH,),
    **{f"blocks.{n}.{key}": shape for n in range(DEPTH) for key, shape in BLOCK.items()},
}
PASS = {key: shape for key, shape in ENCODER.items() if key != "pos_embed"} | {
    "pos_embed": (1, GRID, WIDTH),
    "cls_pos": (1, 1, WIDTH),
    **{f"part_token{n}": (1, 1, WIDTH) for n in (1, 2, 3)},
    **{f"part{n}_pos": (1, 1, WIDTH) for n in (1, 2, 3)},
}
STEM = {
    **ENCODER,
    "patch_embed.proj.weight": (WIDTH, 64, 8, 8),
    "patch_embed.conv.0.weight": (64, 3, 7, 7),
    "patch_embed.conv.3.weight": (64, 64, 3, 3),
    "patch_embed.conv.6.weight": (64, 64, 3, 3),
    **{
        f"patch_embed.conv.{layer}.{norm}.{entry}": (32,)
        for layer in (1, 4)
        for norm in ("IN", "BN")
        for entry in ("weight", "bias", "running_mean", "running_var")
        if norm == "BN" or not entry.startswith("running")
    },
    **{
        f"patch_embed.conv.7.{entry}": (64,)
        for entry in ("weight", "bias", "running_mean", "running_var")
    },
}


def drawn(shapes, prefix=""):
    generator = torch.Generator().manual_seed(5)
    return {prefix + key: torch.randn(shape, generator=generator) for key, shape in shapes.items()}


def transreid():
    """A checkpoint of TransReID's with side information of two cameras and jigsaw parts."""
    heads = {f"b{n}.0.{key}": shape for n in (1, 2) for key, shape in BLOCK.items()}
    heads |= {f"b{n}.1.{key}": (WIDTH,) for n in (1, 2) for key in ("weight", "bias")}
    for end in ("", "_1", "_2", "_3", "_4"):
        heads[f"classifier{end}.weight"] = (5, WIDTH)
        entries = ("weight", "bias", "running_mean", "running_var")
        heads |= {f"bottleneck{end}.{key}": (WIDTH,) for key in entries}
    return drawn({**ENCODER, "sie_embed": (2, 1, WIDTH), "fc.weight": (9, WIDTH)}, "base.") | drawn(
        heads
    )


def toy(form=TOY, **options):
    kind = PartTransReID if form.part_tokens else TransReID
    return kind(form, 5, image_size=SIZE, **options)


def load(model, state, tmp_path):
    torch.save(state, tmp_path / "weights.pth")
    return load_pretrained_weights(model, tmp_path / "weights.pth")


def check_encoder(model, state, prefix=""):
    """Compare each entry with the file's, by the table of names that follows."""
    last = DEPTH - 1
    for key in ENCODER:
        value = state[prefix + key]
        if key.startswith(f"blocks.{last}."):
            own = f"global_branch.0.{key.removeprefix(f'blocks.{last}.')}"
        elif key.startswith("norm."):
            own = f"global_branch.1.{key.removeprefix('norm.')}"
        else:
            own = f"base.{key}"
        if key not in ("pos_embed", "patch_embed.proj.weight"):
            assert torch.equal(model.state_dict()[own], value), key


@pytest.mark.parametrize(
    ("prefix", "container"),
    [
        ("", None),  # timm, and what convert scripts write
        ("", "model"),  # MAE
        ("mae.", "model"),  # HAP's wrapper
        ("module.backbone.", "teacher"),  # DINO, TransReID-SSL, PASS
        ("backbone.", "state_dict"),
    ],
)
def test_an_encoder_fills_the_network_whatever_stands_before_its_keys(tmp_path, prefix, container):
    state = drawn(ENCODER, prefix)
    file = state | {prefix.replace("backbone", "head") + "mlp.weight": torch.zeros(3, 3)}
    model = toy()
    report = load(model, {container: file, "epoch": 3} if container else file, tmp_path)
    assert report.layout == "a vision transformer's keys"
    check_encoder(model, state, prefix)
    assert torch.equal(model.base.pos_embed, state[f"{prefix}pos_embed"])
    assert len(report.discarded) == 1
    untouched = {name.partition(".")[0] for name in report.untouched}
    assert untouched == {"necks", "classifier"}


def test_timms_own_network_gives_the_same_features(tmp_path):
    theirs = VisionTransformer(
        img_size=SIZE, embed_dim=WIDTH, depth=DEPTH, num_heads=2, num_classes=0
    ).eval()
    for parameter in theirs.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    model = toy().eval()
    load(model, theirs.state_dict(), tmp_path)
    images = torch.randn(2, 3, *SIZE)
    with torch.no_grad():
        torch.testing.assert_close(model(images), theirs(images))


def test_both_branches_begin_with_the_last_block(tmp_path):
    state = drawn(ENCODER)
    model = toy(jigsaw=Jigsaw(parts=2))
    load(model, state, tmp_path)
    check_encoder(model, state)
    for key in BLOCK:
        last = state[f"blocks.{DEPTH - 1}.{key}"]
        assert torch.equal(model.state_dict()[f"local_branch.0.{key}"], last), key
    assert torch.equal(model.local_branch[1].weight, state["norm.weight"])


def test_transreids_checkpoint_fills_all_of_its_network(tmp_path):
    state = transreid()
    model = toy(jigsaw=Jigsaw(parts=4), sie="camera", num_cameras=2)
    report = load(model, state, tmp_path)
    assert report.layout == "TransReID's keys"
    own = model.state_dict()
    for branch, theirs in (("global_branch", "b1"), ("local_branch", "b2")):
        for key in BLOCK:
            assert torch.equal(own[f"{branch}.0.{key}"], state[f"{theirs}.0.{key}"]), key
        assert torch.equal(own[f"{branch}.1.bias"], state[f"{theirs}.1.bias"])
    for number, end in enumerate(("", "_1", "_2", "_3", "_4")):
        assert torch.equal(own[f"classifier.{number}.weight"], state[f"classifier{end}.weight"])
        for key in ("weight", "running_mean", "running_var"):
            assert torch.equal(own[f"necks.{number}.{key}"], state[f"bottleneck{end}.{key}"])
    assert torch.equal(own["side.table"], state["base.sie_embed"][:, 0])
    assert torch.equal(own["base.blocks.0.mlp.fc1.weight"], state["base.blocks.0.mlp.fc1.weight"])
    # The block that the branches are copies of is in the file as well, and the frozen shifts.
    last = {f"base.blocks.{DEPTH - 1}.{key}" for key in BLOCK}
    shifts = {f"bottleneck{end}.bias" for end in ("", "_1", "_2", "_3", "_4")}
    assert set(report.discarded) == last | shifts | {
        "base.norm.weight",
        "base.norm.bias",
        "base.fc.weight",
    }
    counters = {f"necks.{number}.num_batches_tracked" for number in range(5)}
    assert set(report.untouched) == counters | {"side.camid_numbers"}


def test_passs_tokens_have_places_of_their_own(tmp_path):
    state = drawn(PASS, "module.backbone.")
    model = toy(Architecture(WIDTH, DEPTH, 2, part_tokens=3))
    load(model, {"student": drawn(PASS), "teacher": state}, tmp_path)
    own = model.state_dict()
    for number in (1, 2, 3):
        token, place = f"base.part_tokens.{number - 1}", f"base.prefix_positions.{number}"
        assert torch.equal(own[token], state[f"module.backbone.part_token{number}"])
        assert torch.equal(own[place], state[f"module.backbone.part{number}_pos"])
    assert torch.equal(own["base.prefix_positions.0"], state["module.backbone.cls_pos"])
    assert torch.equal(own["base.pos_embed"], state["module.backbone.pos_embed"])
    check_encoder(model, state, "module.backbone.")


def test_a_stem_is_loaded_with_its_norms(tmp_path):
    state = drawn(STEM)
    model = toy(Architecture(WIDTH, DEPTH, 2, stem="ics"))
    load(model, state, tmp_path)
    for key in STEM:
        if key.startswith("patch_embed."):
            assert torch.equal(model.state_dict()[f"base.{key}"], state[key]), key


def test_positions_of_another_grid_are_resampled_with_the_class_tokens_kept(tmp_path):
    state = drawn({**ENCODER, "pos_embed": (1, 1 + 196, WIDTH)})
    model = toy()
    report = load(model, state, tmp_path)
    assert report.resampled == ["base.pos_embed"]
    assert torch.equal(model.base.pos_embed[:, 0], state["pos_embed"][:, 0])
    # Half of the height: each row is near the mean of those that it takes the place of.
    assert model.base.pos_embed.shape == (1, 1 + GRID, WIDTH)


def test_positions_of_a_distilled_network_lose_that_of_its_second_token(tmp_path):
    state = drawn({**ENCODER, "pos_embed": (1, 2 + GRID, WIDTH), "dist_token": (1, 1, WIDTH)})
    model = toy()
    load(model, state, tmp_path)
    expected = torch.cat([state["pos_embed"][:, :1], state["pos_embed"][:, 2:]], 1)
    assert torch.equal(model.base.pos_embed, expected)


def test_patches_of_a_linear_layer_are_read_as_a_convolution(tmp_path):
    state = drawn({**ENCODER, "patch_embed.proj.weight": (WIDTH, 3 * 16 * 16)})
    model = toy()
    load(model, state, tmp_path)
    kernel = model.base.patch_embed.proj.weight
    assert torch.equal(kernel.flatten(1), state["patch_embed.proj.weight"])


def test_ones_own_checkpoint_is_read_by_its_own_keys(tmp_path):
    model = toy(jigsaw=Jigsaw(parts=2), sie="camera", num_cameras=3)
    state = {key: torch.randn_like(v) if v.is_floating_point() else v for key, v in
             model.state_dict().items()}  # fmt: skip
    other = toy(jigsaw=Jigsaw(parts=2), sie="camera", num_cameras=3)
    report = load(other, state, tmp_path)
    assert (report.layout, report.discarded, report.untouched) == ("", [], [])
    for key, value in other.state_dict().items():
        assert torch.equal(value, state[key]), key


def test_a_wider_network_is_refused(tmp_path):
    with pytest.raises(CheckpointError, match=r"nothing in .* fits TransReID"):
        load(toy(Architecture(2 * WIDTH, DEPTH, 2)), drawn(ENCODER), tmp_path)
