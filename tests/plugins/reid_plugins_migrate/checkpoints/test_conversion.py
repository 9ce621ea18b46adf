"""Checkpoints of Torchreid and FastReID become ours, with the same features."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from reid_plugins_migrate.checkpoints import architectures
from reid_plugins_migrate.checkpoints.conversion import convert, write
from reid_plugins_migrate.checkpoints.reading import read_foreign

from reidcore.errors import CheckpointError
from reidcore.inference import FeatureExtractor, read_metadata
from reidcore.models import build_model
from reidcore.plugins import make_plugins
from reidcore.utils import resume_from_checkpoint

PLUGINS = make_plugins()
NON_LOCAL = {"non_local": [0, 1, 1, 0], "non_local_channels": 1}
HEAD = {"pool": "gem", "gem_p": 3.0, "neck": "bnneck", "last_stride": 1}
SMALL = {"image_size": (64, 32)}  # what a head is tried on; it takes images of every size


@pytest.fixture(autouse=True)
def few_models(monkeypatch) -> None:
    """Compare with few models, since each has to be built."""
    names = {"mlfn", "osnet_x0_25", "resnet18", "resnet34"}
    few = [entry for entry in architectures.entries("models", PLUGINS) if entry.name in names]
    monkeypatch.setattr(architectures, "entries", lambda kind, plugins: few)


def randomized(model: torch.nn.Module) -> torch.nn.Module:
    """Give every norm statistics of its own, which would else all be the same."""
    torch.manual_seed(3)
    for module in model.modules():
        if isinstance(module, torch.nn.modules.batchnorm._BatchNorm):
            module.running_mean.normal_()
            module.running_var.uniform_(0.5, 2)
    return model.eval()


def as_fastreid(model: torch.nn.Module) -> dict[str, torch.Tensor]:
    """Return a ResNet's entries under FastReID's names."""
    renamed = {
        "head.pool.": "heads.pool_layer.",
        "head.embedding.": "heads.bottleneck.0.",
        "head.neck.": "heads.bottleneck.1.",
        "classifier.": "heads.",
        "layer2.NL_": "backbone.NL_2.",
        "layer3.NL_": "backbone.NL_3.",
        "": "backbone.",
    }
    state = {
        "pixel_mean": torch.tensor([127.5] * 3).view(3, 1, 1),
        "pixel_std": torch.tensor([127.5] * 3).view(3, 1, 1),
    }
    for key, value in model.state_dict().items():
        if key == "head.embedding.bias":
            continue
        old = next(each for each in renamed if key.startswith(each))
        is_reduction = key == "head.embedding.weight"
        state[renamed[old] + key.removeprefix(old)] = (
            value[..., None, None] if is_reduction else value
        )
    # FastReID freezes the shift of its neck at zero, and keeps it in the file.
    neck = [key.removesuffix("weight") for key in state if key.endswith("bottleneck.1.weight")]
    return state | {f"{key}bias": torch.zeros(len(state[f"{key}weight"])) for key in neck}


def converted(path: Path, **given: Any):
    return convert(read_foreign(path), PLUGINS, **given)


@pytest.fixture
def image(tmp_path) -> str:
    pixels = np.random.default_rng(0).integers(0, 256, (70, 40, 3)).astype(np.uint8)
    path = tmp_path / "image.png"
    Image.fromarray(pixels).save(path)
    return str(path)


def test_torchreids_checkpoint_is_told_by_its_name_and_gives_the_same_features(
    tmp_path, image
) -> None:
    source = randomized(build_model("osnet_x0_25", 7, pretrained=False))
    old = tmp_path / "osnet_x0_25_market.pth.tar-3"
    state = {f"module.{key}": value for key, value in source.state_dict().items()}
    torch.save({"state_dict": state, "epoch": 3, "rank1": np.float64(0.5), "optimizer": {}}, old)
    new = tmp_path / "ours.pth.tar"
    found = converted(old)
    write(found, read_foreign(old), new)
    assert (found.name, found.unmatched, found.untouched) == ("osnet_x0_25", {}, [])
    metadata = read_metadata(new)
    assert metadata.model_name == "osnet_x0_25"
    assert metadata.preprocessing["resize"] == "pillow"
    by_hand = FeatureExtractor("osnet_x0_25", str(old), device="cpu", verbose=False)
    ours = FeatureExtractor(model_path=str(new), device="cpu", verbose=False)
    torch.testing.assert_close(ours(image), by_hand(image))
    assert resume_from_checkpoint(new, build_model("osnet_x0_25", 7, pretrained=False)) == 3


def test_fastreids_checkpoint_says_its_form_and_its_images(tmp_path, image) -> None:
    head = {**HEAD, "embedding": 16}
    source = randomized(
        build_model(
            "resnet18", 5, pretrained=False, head=head, stem="fastreid", **SMALL, **NON_LOCAL
        )
    )
    source.head.embedding.bias.data.zero_()
    old, new = tmp_path / "model_final.pth", tmp_path / "ours.safetensors"
    torch.save({"model": as_fastreid(source), "iteration": 9, "optimizer": {}}, old)
    found = converted(old)
    write(found, read_foreign(old), new)
    assert (found.name, found.unmatched, found.untouched) == ("resnet18", {}, [])
    assert found.record["model"]["head"] == head
    assert found.record["model"]["options"] == {"stem": "fastreid", **NON_LOCAL}
    assert found.record["test"] == {"dist_metric": "cosine", "normalize_feature": False}
    ours = FeatureExtractor(model_path=str(new), device="cpu", verbose=False)
    assert found.record["preprocessing"]["norm_mean"] == [0.5, 0.5, 0.5]
    # (70, 40, 3) -> (3, 256, 128), by Pillow as FastReID resizes
    resized = Image.open(image).resize((128, 256), Image.Resampling.BICUBIC)
    pixels = torch.from_numpy(np.asarray(resized).copy()).permute(2, 0, 1).float()
    with torch.no_grad():
        expected = source((pixels[None] - 127.5) / 127.5)
    torch.testing.assert_close(ours(image), expected, rtol=1e-4, atol=1e-4)


def test_a_configuration_says_what_weights_do_not(tmp_path) -> None:
    head = {"pool": "max", "neck": "bnneck"}
    source = build_model("resnet18", 5, pretrained=False, head=head, **SMALL)
    path = tmp_path / "model.pth"
    torch.save({"model": as_fastreid(source)}, path)
    config = {
        "model": {
            "name": "resnet18",
            "stem": "fastreid",
            "head": head,
        },
        "data": {"height": 384, "width": 128, "sources": ["veri"]},
        "test": {"dist_metric": "euclidean"},
    }
    found = converted(path, config=config)
    assert found.record["model"]["head"] == head
    assert found.record["preprocessing"]["height"] == 384
    assert found.record["test"]["dist_metric"] == "euclidean"
    assert found.remarks == []


def test_an_older_neck_tells_the_stem_and_its_shift_is_told(tmp_path) -> None:
    head = {"pool": "avg", "neck": "bnneck", "last_stride": 1}
    source = build_model("resnet18", 5, pretrained=False, head=head, **SMALL)
    state = {
        key.replace("heads.bottleneck.1", "heads.bnneck"): value
        for key, value in as_fastreid(source).items()
    }
    state["heads.bnneck.bias"][3] = 0.1
    torch.save({"model": state}, tmp_path / "old.pth")
    found = converted(tmp_path / "old.pth")
    assert found.record["model"]["options"]["stem"] == "torchvision"
    assert [*found.unmatched] == ["heads.bnneck.bias"]
    assert "features differ" in found.unmatched["heads.bnneck.bias"]
    assert [text.partition(",")[0] for text in found.remarks] == [
        "the pooling has no parameters",
        "no weight tells the stride of the last stage",
        "images are taken to be 256x128 pixels; --config FILE.yml tells",
    ]


def test_what_does_not_fit_is_told(tmp_path) -> None:
    state = build_model("osnet_x0_25", 7, pretrained=False).state_dict()
    state = {key: value for key, value in state.items() if key != "fc.0.bias"}
    path = tmp_path / "osnet_x0_25.pth"
    torch.save({**state, "extra.weight": torch.ones(3)}, path)
    found = converted(path, name="osnet_x0_25")
    assert found.unmatched == {"extra.weight": "the model has no such entry"}
    assert found.untouched == ["fc.0.bias"]


def test_an_unknown_network_is_told_with_the_nearest(tmp_path) -> None:
    state = build_model("osnet_x0_25", 7, pretrained=False).state_dict()
    path = tmp_path / "anon.pth"
    torch.save(state, path)
    assert converted(path).name == "osnet_x0_25"
    torch.save({**state, "extra.weight": torch.ones(3)}, path)
    with pytest.raises(CheckpointError, match=r"nearest are osnet_x0_25 \(100% of the file\)"):
        converted(path)
    torch.save({"encoder.weight": torch.ones(3, 3)}, path)
    with pytest.raises(CheckpointError, match="no model has entries of the names and shapes"):
        converted(path)


def test_several_that_fit_are_listed(tmp_path, monkeypatch) -> None:
    def same(name, found, num_classes, plugins):
        return architectures.Candidate(name, 1.0, float(name in ("resnet18", "mlfn")))

    monkeypatch.setattr(architectures, "_compared", same)
    torch.save({"a.weight": torch.ones(3)}, tmp_path / "anon.pth")
    with pytest.raises(CheckpointError, match="may be of several models: mlfn, resnet18"):
        converted(tmp_path / "anon.pth")


@pytest.mark.parametrize(
    ("held", "told"),
    [
        ({"epoch": 3}, "holds no weights"),
        ({"state_dict": {}, "reidcore": {}}, "is a checkpoint of reidcore"),
    ],
)
def test_what_is_no_foreign_checkpoint_is_told(tmp_path, held, told) -> None:
    torch.save(held, tmp_path / "a.pth")
    with pytest.raises(CheckpointError, match=told):
        read_foreign(tmp_path / "a.pth")


def test_nothing_in_a_file_is_run(checkout) -> None:
    for name in ("evil.pth.tar", "evil_legacy.pth.tar"):
        with pytest.raises(CheckpointError, match=r"refused|asks to run"):
            read_foreign(checkout / "tests" / "fixtures" / "checkpoints" / name)


@pytest.mark.parametrize("rank1", [None, "high", 7.0])
def test_an_odd_record_is_left_out(tmp_path, rank1) -> None:
    torch.save(
        {"state_dict": {"a": torch.ones(1)}, "epoch": "x", "rank1": rank1}, tmp_path / "a.pth"
    )
    found = read_foreign(tmp_path / "a.pth")
    assert (found.epoch, found.rank1) == (0, None)
