"""FastReID's checkpoints fill the same networks here."""

from __future__ import annotations

import torch
from torch import nn

from reidcore.models import build_model, load_pretrained_weights


def stored(state, tmp_path):
    torch.save(state, tmp_path / "anything.bin")
    return tmp_path / "anything.bin"


def fastreid(model, classifier="heads.weight", bottleneck=("heads.bottleneck.0",)):
    """A state dict as FastReID stores it, from a model of ours with a head."""
    state = {"pixel_mean": torch.zeros(1, 3, 1, 1), "pixel_std": torch.ones(1, 3, 1, 1)}
    for key, value in model.state_dict().items():
        part, _, rest = key.rpartition(".")
        if key == "classifier.weight":
            state[classifier] = value
        elif key == "head.pool.p":
            state["heads.pool_layer.p"] = value
        elif part == "head.neck":
            state[f"{bottleneck[-1]}.{rest}"] = value
        elif key == "head.embedding.weight":
            state[f"{bottleneck[0]}.weight"] = value[:, :, None, None]
        elif part != "head.embedding":
            state[f"backbone.{key}"] = value
    return state


def test_fastreids_baseline_fills_a_model_with_the_same_head(tmp_path):
    head = {"pool": "gem", "neck": "bnneck"}
    source = build_model("osnet_x0_25", 5, pretrained=False, head=head)
    nn.init.normal_(source.head.neck.running_mean)
    state = fastreid(source)
    state["heads.bottleneck.0.bias"] = torch.zeros(source.feature_dim)
    model = build_model("osnet_x0_25", 5, pretrained=False, head=head)
    report = load_pretrained_weights(model, stored({"model": state, "epoch": 3}, tmp_path))
    assert report.layout == "FastReID's keys"
    assert report.untouched == []
    assert report.discarded == ["pixel_mean", "pixel_std", "heads.bottleneck.0.bias"]
    for key, value in source.state_dict().items():
        assert torch.equal(model.state_dict()[key], value), key


def test_fastreids_reduction_is_a_convolution_without_bias(tmp_path):
    head = {"pool": "avg", "neck": "bnneck", "embedding": 16}
    source = build_model("osnet_x0_25", 5, pretrained=False, head=head)
    nn.init.zeros_(source.head.embedding.bias)
    layers = ("heads.bottleneck.0", "heads.bottleneck.1")
    state = fastreid(source, "heads.classifier.weight", layers)
    model = build_model("osnet_x0_25", 5, pretrained=False, head=head)
    nn.init.ones_(model.head.embedding.bias)
    report = load_pretrained_weights(model, stored(state, tmp_path))
    assert report.untouched == []
    images = torch.randn(2, 3, 64, 32)
    with torch.no_grad():
        torch.testing.assert_close(model.eval()(images), source.eval()(images))


def test_what_fastreid_has_and_we_have_not_is_told(tmp_path):
    state = fastreid(build_model("resnet18", 5, pretrained=False))
    state["heads.bottleneck.0.weight"] = torch.ones(512)
    state["backbone.NL_2.0.g.weight"] = torch.ones(1, 512, 1, 1)
    report = load_pretrained_weights(
        build_model("resnet18", 7, pretrained=False), stored(state, tmp_path)
    )
    assert report.reasons["backbone.NL_2.0.g.weight"] == "the model has no such entry"
    assert report.reasons["heads.bottleneck.0.weight"] == "the model has no such entry"
    assert report.reasons["heads.weight"] == "size (5, 512), the model's is (7, 512)"
    assert report.untouched == ["classifier.weight", "classifier.bias"]
