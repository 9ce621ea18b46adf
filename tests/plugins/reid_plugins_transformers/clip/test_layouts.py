"""Files of CLIP and of CLIP-ReID's authors, by tables of names that were typed here once more."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
from reid_plugins_transformers.clip.model import ClipReid
from torch import Tensor, nn

from reidcore.errors import CheckpointError
from reidcore.models import build_model, find_published, load_pretrained_weights, unwrap

WIDTH, TEXT_WIDTH, EMBEDDING = 64, 64, 24
TOYS: dict[str, dict[str, Any]] = {
    "clipreid_vit_b": {"width": WIDTH, "depth": 2},
    "clipreid_rn50": {"width": 4},
}
TOKENS = 49408
STATISTICS = ("weight", "running_mean", "running_var", "num_batches_tracked")

BLOCK = {
    "attn.in_proj_weight": "attn.in_proj.weight",
    "attn.in_proj_bias": "attn.in_proj.bias",
    **{
        f"{layer}.{kind}": f"{layer}.{kind}"
        for layer in ("attn.out_proj", "ln_1", "ln_2", "mlp.c_fc", "mlp.c_proj")
        for kind in ("weight", "bias")
    },
}


def model(name: str, classes: int = 3, **options: Any) -> ClipReid:
    built = unwrap(
        build_model(
            name,
            classes,
            pretrained=False,
            image_size=(64, 32),
            text_width=TEXT_WIDTH,
            text_depth=1,
            embedding=EMBEDDING,
            **TOYS[name],
            **options,
        )
    )
    assert isinstance(built, ClipReid)
    return built


def blocks(theirs: str, ours: str, depth: int) -> Iterable[tuple[str, str]]:
    for number in range(depth):
        for key, name in BLOCK.items():
            yield f"{theirs}.resblocks.{number}.{key}", f"{ours}.resblocks.{number}.{name}"


def texts(prefix: str) -> dict[str, str]:
    plain = ("positional_embedding", "text_projection", "ln_final.weight", "ln_final.bias")
    return {f"{prefix}{name}": f"text_encoder.{name}" for name in plain} | dict(
        blocks(f"{prefix}transformer", "text_encoder.transformer", 1)
    )


def images(prefix: str, name: str) -> dict[str, str]:
    """Return the names of the image tower in a file -> ours."""
    if name == "clipreid_rn50":
        tower = model(name).image_encoder
        assert {"layer1.0.downsample.0.weight", "attnpool.c_proj.bias"} <= set(tower.state_dict())
        return {f"{prefix}{key}": f"image_encoder.{key}" for key in tower.state_dict()}
    plain = (
        "class_embedding positional_embedding proj conv1.weight ln_pre.weight ln_pre.bias "
        "ln_post.weight ln_post.bias"
    )
    return {f"{prefix}{key}": f"image_encoder.{key}" for key in plain.split()} | dict(
        blocks(f"{prefix}transformer", "image_encoder.transformer", 2)
    )


def filled(table: Mapping[str, str], wanted: ClipReid) -> dict[str, Tensor]:
    """Return a file's entries, each of numbers of its own."""
    state = wanted.state_dict()
    return {
        key: torch.rand(state[name].shape) if state[name].is_floating_point() else torch.tensor(7)
        for key, name in table.items()
    }


def assert_loaded(network: ClipReid, table: Mapping[str, str], file: Mapping[str, Tensor]) -> None:
    state = network.state_dict()
    for key, name in table.items():
        assert torch.equal(state[name], file[key]), name


@pytest.mark.parametrize("prompt", ["person", "vehicle"])
@pytest.mark.parametrize("name", TOYS)
def test_clips_own_files_are_read(name: str, prompt: str, tmp_path: Path) -> None:
    network = model(name, prompt=prompt)
    table = images("visual.", name) | texts("")
    file = filled(table, network)
    embedding = torch.rand(TOKENS, TEXT_WIDTH)
    others = {"token_embedding.weight": embedding, "logit_scale": torch.tensor(4.6)}
    torch.save(file | others, tmp_path / "clip.pt")
    report = load_pretrained_weights(network, tmp_path / "clip.pt")
    assert report.layout == "CLIP's keys"
    assert report.discarded == ["logit_scale"]
    assert_loaded(network, table, file)
    word = {"person": 2533, "vehicle": 5299}[prompt]
    prefix, suffix = (network.prompt_learner.token_prefix, network.prompt_learner.token_suffix)
    assert torch.equal(prefix[0], embedding[[49406, 320, 1125, 539, 320]])
    assert torch.equal(suffix[0], embedding[[word, 269, 49407]])
    left = {each.partition(".")[0] for each in report.untouched}
    assert left == {
        "prompt_learner",
        "bottleneck",
        "bottleneck_proj",
        "classifier",
        "classifier_proj",
    }
    assert [each for each in report.untouched if each.startswith("prompt")] == [
        "prompt_learner.cls_ctx"
    ]


@pytest.mark.parametrize("name", TOYS)
def test_the_authors_checkpoints_are_read(name: str, tmp_path: Path) -> None:
    is_vit = name == "clipreid_vit_b"
    side: dict[str, Any] = {"sie": "camera", "num_cameras": 3} if is_vit else {}
    network = model(name, **side)
    necks = [f"bottleneck{end}.{part}" for end in ("", "_proj") for part in STATISTICS]
    own = ["prompt_learner.cls_ctx", "prompt_learner.token_prefix", *necks]
    own += ["classifier.weight", "classifier_proj.weight"]
    table = images("image_encoder.", name) | texts("text_encoder.") | {key: key for key in own}
    if side:
        table["cv_embed"] = "side_information.table"
    file = filled(table, network)
    suffix = torch.rand(1, 68, TEXT_WIDTH)  # the other words, the end and what stands behind it
    shifts = {f"bottleneck{end}.bias": torch.zeros(4) for end in ("", "_proj")}
    torch.save(file | shifts | {"prompt_learner.token_suffix": suffix}, tmp_path / "theirs.pth")
    report = load_pretrained_weights(network, tmp_path / "theirs.pth")
    assert report.layout == "CLIP-ReID's keys"
    assert sorted(report.discarded) == ["bottleneck.bias", "bottleneck_proj.bias"]
    numbers = [each for each in report.untouched if not each.endswith("camid_numbers")]
    assert numbers == []
    assert_loaded(network, table, file)
    assert torch.equal(network.prompt_learner.token_suffix, suffix[:, :3])


def test_words_of_other_identities_are_left_out(tmp_path: Path) -> None:
    theirs, ours = model("clipreid_vit_b", classes=5), model("clipreid_vit_b")
    torch.save(theirs.state_dict(), tmp_path / "own.pth")
    report = load_pretrained_weights(ours, tmp_path / "own.pth")
    assert report.layout == ""
    left = ["classifier.weight", "classifier_proj.weight", "prompt_learner.cls_ctx"]
    assert sorted(report.discarded) == left


def test_positions_of_square_images_are_brought_into_this_grid(tmp_path: Path) -> None:
    network = model("clipreid_vit_b")
    table = images("visual.", "clipreid_vit_b") | texts("")
    file = filled(table, network)
    file["visual.positional_embedding"] = torch.full((1 + 9, WIDTH), 2.5)
    torch.save(file, tmp_path / "clip.pt")
    report = load_pretrained_weights(network, tmp_path / "clip.pt")
    name = "image_encoder.positional_embedding"
    assert report.resampled == [name]
    assert torch.equal(network.get_parameter(name), torch.full((1 + 4 * 2, WIDTH), 2.5))
    assert (
        network.resampled("text_encoder.positional_embedding", torch.zeros(5, TEXT_WIDTH)) is None
    )
    assert network.resampled(name, torch.zeros(10, WIDTH + 1)) is None


def test_tokens_of_another_vocabulary_are_left_out(tmp_path: Path) -> None:
    network = model("clipreid_vit_b")
    file = filled(images("visual.", "clipreid_vit_b") | texts(""), network)
    torch.save(file | {"token_embedding.weight": torch.rand(32000, TEXT_WIDTH)}, tmp_path / "w.pt")
    report = load_pretrained_weights(network, tmp_path / "w.pt")
    assert report.discarded == ["token_embedding.weight"]


def test_half_precision_is_read_as_numbers_of_ours(tmp_path: Path) -> None:
    network = model("clipreid_vit_b")
    table = images("visual.", "clipreid_vit_b") | texts("")
    half = {key: value.half() for key, value in filled(table, network).items()}
    torch.save(half, tmp_path / "clip.pt")
    load_pretrained_weights(network, tmp_path / "clip.pt")
    assert_loaded(network, table, {key: value.float() for key, value in half.items()})


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")
def test_the_programs_that_openai_publishes_are_refused_with_a_way_out(tmp_path: Path) -> None:
    program: Any = torch.jit.trace(nn.Linear(2, 2), torch.zeros(1, 2))  # type: ignore[no-untyped-call]
    program.save(str(tmp_path / "ViT-B-16.pt"))
    with pytest.raises(CheckpointError, match=r"TorchScript archive.*ask for the state dict"):
        load_pretrained_weights(model("clipreid_vit_b"), tmp_path / "ViT-B-16.pt")


def test_other_models_and_other_files_are_nothing_to_this_layout(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    other = build_model("resnet18", 3, pretrained=False)
    torch.save(other.state_dict(), tmp_path / "resnet.pth")
    with caplog.at_level(logging.INFO):
        assert load_pretrained_weights(other, tmp_path / "resnet.pth").layout == ""
    with pytest.raises(CheckpointError, match="fits ClipReid"):
        load_pretrained_weights(model("clipreid_vit_b"), tmp_path / "resnet.pth")


@pytest.mark.parametrize("name", TOYS)
def test_the_published_files_are_openclips_safetensors(name: str) -> None:
    row = find_published(name)
    assert row.url.startswith("https://huggingface.co/timm/")
    assert row.url.endswith(".openai/resolve/main/open_clip_model.safetensors")
    assert row.licence == "MIT"
