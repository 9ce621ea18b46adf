"""CLIP-ReID's networks under the contract of models."""

from __future__ import annotations

from typing import Any, ClassVar

import pytest
import torch
from reid_plugins_transformers.clip.model import ClipReid
from torch.nn import functional as F

from reidcore.errors import ConfigError, UserError
from reidcore.models import build_model, summarize, unwrap
from reidcore.testing import conformance

TEXTS: dict[str, Any] = {"text_width": 64, "text_depth": 1, "embedding": 32}
VIT: dict[str, Any] = {"width": 64, "depth": 2, "stride": 12, "sie": "both", **TEXTS}
RN50: dict[str, Any] = {"width": 4, **TEXTS}


class TestViT(conformance.ModelConformance):
    """The transformer keeps the contract of models."""

    name = "clipreid_vit_b"
    image_size = (64, 32)
    options: ClassVar[dict[str, Any]] = VIT


class TestRN50(conformance.ModelConformance):
    """So does the residual network."""

    name = "clipreid_rn50"
    image_size = (64, 32)
    options: ClassVar[dict[str, Any]] = RN50


def build(name: str = "clipreid_vit_b", **options: Any) -> ClipReid:
    torch.manual_seed(0)
    size: dict[str, Any] = {"image_size": (64, 32), "num_cameras": 3, "num_views": 2}
    options = {"width": 64, "depth": 2, **TEXTS, **options} if "vit" in name else RN50 | options
    network = unwrap(build_model(name, 5, pretrained=False, **size, **options))
    assert isinstance(network, ClipReid)
    return network


def test_two_features_are_classified_behind_their_necks_and_three_are_compared() -> None:
    network = build().train()
    images = torch.randn(4, 3, 64, 32)
    with torch.no_grad():
        before, last, projected = network.image_encoder(images)
        outputs = network(images, outputs="all")
    for found, wanted in zip(outputs.features, (before, last, projected), strict=True):
        torch.testing.assert_close(found, wanted)
    for logits, features, classifier in zip(
        outputs.logits,
        (last, projected),
        (network.classifier, network.classifier_proj),
        strict=True,
    ):
        assert isinstance(classifier, torch.nn.Linear)
        torch.testing.assert_close(
            logits, F.batch_norm(features, None, None, training=True) @ classifier.weight.T
        )


@pytest.mark.parametrize("where", ["before_neck", "after_neck"])
def test_images_are_compared_by_two_features_in_a_row(where: str) -> None:
    network = build("clipreid_rn50", test_features=where)
    for neck in (network.bottleneck, network.bottleneck_proj):
        neck.running_mean = torch.rand_like(neck.running_mean)  # type: ignore[arg-type]
    network.eval()
    images = torch.randn(2, 3, 64, 32)
    with torch.no_grad():
        _, last, projected = network.image_encoder(images)
        if where == "after_neck":
            last = last - network.bottleneck.running_mean
            projected = projected - network.bottleneck_proj.running_mean
        wanted = torch.cat([last, projected], dim=1)
        torch.testing.assert_close(network(images), wanted, rtol=1e-4, atol=1e-4)
    assert network.feature_dim == wanted.shape[1]


def test_the_camera_is_told_to_the_class_token_alone() -> None:
    network = build(sie="camera").eval()
    images, cameras = torch.randn(2, 3, 64, 32), torch.tensor([2, 0])
    with torch.no_grad():
        side = network.get_parameter("side_information.table")[cameras]
        wanted = network.image_encoder(images, side)
        torch.testing.assert_close(
            network(images, camid=cameras), torch.cat([wanted.last, wanted.projected], dim=1)
        )
        assert torch.equal(
            network(images, camid=torch.tensor([7, 7])), build_plain(network, images)
        )


def build_plain(network: ClipReid, images: torch.Tensor) -> torch.Tensor:
    """Return what the network says of images of which nothing is known."""
    _, last, projected = network.image_encoder(images)
    return torch.cat([last, projected], dim=1)


def test_texts_and_words_stay_as_they_are_unless_an_engine_opens_them() -> None:
    network = build()
    learning = {name.partition(".")[0] for name, p in network.named_parameters() if p.requires_grad}
    assert learning == {
        "image_encoder",
        "bottleneck",
        "bottleneck_proj",
        "classifier",
        "classifier_proj",
    }


@pytest.mark.parametrize(("name", "deepest"), [("clipreid_vit_b", 3), ("clipreid_rn50", 5)])
def test_each_parameter_of_the_image_tower_has_a_depth(name: str, deepest: int) -> None:
    network = build(name)
    depths = network.layer_depths()
    assert depths.keys() == {
        f"image_encoder.{key}" for key, _ in network.image_encoder.named_parameters()
    }
    assert sorted(set(depths.values())) == list(range(deepest + 1))
    assert depths["image_encoder.conv1.weight"] == 0


@pytest.mark.parametrize(
    ("name", "parameters", "dim"),
    # CLIP's towers, their positions for 256 x 128 and not 224 x 224, and the two necks.
    [
        ("clipreid_vit_b", 86_192_640 - (197 - 129) * 768 + 768 + 512, 1280),
        ("clipreid_rn50", 38_316_896 - (50 - 129) * 2048 + 2048 + 1024, 3072),
    ],
)
def test_full_size_networks_have_clips_parameters(name: str, parameters: int, dim: int) -> None:
    with torch.device("meta"):
        network = unwrap(build_model(name, 751, pretrained=False))
    assert isinstance(network, ClipReid)
    tower = [*network.image_encoder.parameters(), *network.bottleneck.parameters()]
    tower += network.bottleneck_proj.parameters()
    assert sum(each.numel() for each in tower) == parameters
    assert network.feature_dim == dim
    assert network.prompt_learner.cls_ctx.shape == (751, 4, 512)
    texts = sum(each.numel() for each in network.text_encoder.parameters())
    # Of CLIP's text towers: 63,428,097 and 63,690,241 with the table of tokens and the temperature.
    whole = {512: 63_428_097, 1024: 63_690_241}[network.image_encoder.widths[2]]
    assert texts == whole - 49408 * 512 - 1


@pytest.mark.parametrize(
    ("name", "options", "file"),
    [
        ("clipreid_vit_b", {**TEXTS, "width": 64, "depth": 1}, "clip_vit_b_16_openai.safetensors"),
        ("clipreid_rn50", RN50, "clip_rn50_openai.safetensors"),
    ],
)
def test_each_has_weights_of_its_own(
    monkeypatch: pytest.MonkeyPatch, name: str, options: dict[str, Any], file: str
) -> None:
    monkeypatch.setenv("REIDCORE_OFFLINE", "1")
    with pytest.raises(UserError, match=file):
        build_model(name, 5, pretrained=True, image_size=(64, 32), **options)


def test_it_takes_images_of_its_own_size_and_options_in_their_range() -> None:
    with pytest.raises(Exception, match="64x32"):
        build()(torch.zeros(2, 3, 64, 64))
    with pytest.raises(ConfigError, match="depth"):
        build(depth=0)
    with pytest.raises(ConfigError, match="width: expected a multiple of 2, not 3"):
        build_model("clipreid_rn50", 5, pretrained=False, image_size=(64, 32), width=3, **TEXTS)
    with pytest.raises(ConfigError, match="heads of 64 dimensions, and a token 96"):
        build(text_width=96)
    with pytest.raises(ConfigError, match="fill no patch"):
        build_model("clipreid_vit_b", 5, pretrained=False, image_size=(8, 8), **TEXTS)


def test_a_summary_counts_it_on_its_own_size() -> None:
    measured = summarize("clipreid_rn50", (64, 32), **RN50)
    assert (measured.height, measured.width, measured.feature_dim) == (64, 32, 160)
