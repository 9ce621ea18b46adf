"""The published networks by name: their forms, options and weights."""

from __future__ import annotations

import logging

import pytest
import torch
from reid_plugins_transformers.transreid import build
from reid_plugins_transformers.vit.encoder import Architecture

from reidcore.errors import ConfigError, UserError
from reidcore.inference import FeatureExtractor
from reidcore.models import PublishedWeights, build_model, find_published
from reidcore.testing import conformance, tiny_run

SIZE = (64, 32)


@pytest.fixture
def toys(monkeypatch):
    """Make every network of this package narrow and two blocks deep."""
    monkeypatch.setattr(
        build,
        "ARCHITECTURES",
        {
            name: Architecture(24, 2, 3, stem=form.stem, part_tokens=form.part_tokens)
            for name, form in build.ARCHITECTURES.items()
        },
    )


# Millions of parameters without necks and classifiers, counted by hand: a block of width D has
# 12 D^2 + 13 D, patches 768 D + D, positions 129 D, class token D, the last norm 2 D.
@pytest.mark.parametrize(
    ("name", "feature_dim", "parameters"),
    [
        ("vit_s_16", 384, 12 * (12 * 384**2 + 13 * 384) + (768 + 1 + 129 + 1 + 2) * 384),
        ("vit_b_16", 768, 12 * (12 * 768**2 + 13 * 768) + (768 + 1 + 129 + 1 + 2) * 768),
        ("transreid_vit_b", 768, 12 * (12 * 768**2 + 13 * 768) + (768 + 1 + 129 + 1 + 2) * 768),
        # Hidden layers of 3 D, and no bias of queries, keys and values.
        ("transreid_vit_s", 768, 8 * (10 * 768**2 + 9 * 768) + (768 + 1 + 129 + 1 + 2) * 768),
        # Three more tokens with their positions.
        ("vit_s_16_pass", 768, 12 * (12 * 384**2 + 13 * 384) + (768 + 1 + 129 + 1 + 2 + 6) * 384),
        # The stem's 9408 + 2 * 36864 weights and three norms of 128; patches of 8 x 8 x 64.
        (
            "vit_b_16_ics",
            768,
            12 * (12 * 768**2 + 13 * 768)
            + (4096 + 1 + 129 + 1 + 2) * 768
            + 9408
            + 2 * 36864
            + 3 * 128,
        ),
    ],
)
def test_networks_are_as_large_as_published(name, feature_dim, parameters):
    with torch.device("meta"):
        model = build_model(name, 5, pretrained=False)
    named = [(n, p) for n, p in model.named_parameters() if not n.startswith(("necks", "class"))]
    assert model.feature_dim == feature_dim
    assert sum(p.numel() for _, p in named) == parameters


def test_the_small_networks_attention_is_that_of_its_weights():
    with torch.device("meta"):
        small = build_model("transreid_vit_s", 5, pretrained=False)
        base = build_model("transreid_vit_b", 5, pretrained=False)
    assert small.base.blocks[0].attn.scale == pytest.approx(768**-0.5)
    assert not small.base.blocks[0].attn.fused_attn
    assert base.base.blocks[0].attn.scale == pytest.approx(64**-0.5)


@pytest.mark.usefixtures("toys")
def test_options_reach_the_network():
    model = build_model(
        "transreid_vit_b",
        5,
        pretrained=False,
        image_size=SIZE,
        num_cameras=3,
        num_views=2,
        stride=12,
        sie="both",
        sie_coefficient=1.5,
        jpm=True,
        jpm_shift=2,
        jpm_groups=3,
        jpm_parts=2,
        drop_path=0.3,
        metric_features="after_neck",
        test_features="after_neck",
    )
    assert model.base.grid == (5, 2)
    assert (model.jigsaw.shift, model.jigsaw.groups, model.jigsaw.parts) == (2, 3, 2)
    assert len(model.necks) == len(model.classifier) == 3
    assert model.side.table.shape == (6, 24)
    assert model.sie_coefficient == 1.5
    assert model.inputs == ("camid", "view")
    assert model.global_branch[0].drop_path1.drop_prob == pytest.approx(0.3)
    assert (model.metric_features, model.test_features) == ("after_neck", "after_neck")
    assert model.fixed_size == SIZE
    assert len(build_model("vit_s_16", 5, pretrained=False, neck="none").necks) == 0


@pytest.mark.parametrize("share", [-0.1, 1.0])
def test_shares_that_are_none_are_refused(share):
    with pytest.raises(ConfigError, match="cannot take drop_path: expected"):
        build_model("vit_s_16", 5, pretrained=False, drop_path=share)


@pytest.mark.usefixtures("toys")
def test_part_tokens_and_a_jigsaw_exclude_one_another():
    with pytest.raises(ConfigError, match=r"vit_s_16_pass .* tokens of its own.*model\.jpm"):
        build_model("vit_s_16_pass", 5, pretrained=False, jpm=True)


@pytest.mark.usefixtures("toys")
def test_weights_from_imagenet_say_what_pixels_they_know(tmp_path, monkeypatch, caplog):
    source = build_model("vit_b_16", 7, pretrained=False)
    row = find_published("transreid_vit_b").model_copy(update={"filename": "toy.pth", "sha256": ""})
    monkeypatch.setenv("REIDCORE_HOME", str(tmp_path))
    monkeypatch.setattr("reidcore.models.weights.load.find_published", lambda *_: row)
    (tmp_path / "weights").mkdir()
    torch.save(source.state_dict(), tmp_path / "weights" / "toy.pth")
    with caplog.at_level(logging.INFO):
        model = build_model("transreid_vit_b", 5)
        assert "mean 0.5 and deviation 0.5: set data.norm_mean" in caplog.text
        caplog.clear()
        build_model("vit_b_16", 5)
        assert "mean 0.5" not in caplog.text
    for name, value in model.base.state_dict().items():
        assert torch.equal(value, source.base.state_dict()[name]), name


@pytest.mark.parametrize("name", build.ARCHITECTURES)
def test_each_network_has_weights_whose_terms_are_told(name):
    row = find_published(name)
    assert isinstance(row, PublishedWeights)
    assert row.licence
    assert row.origin
    assert not row.url or row.sha256 in row.filename


@pytest.mark.usefixtures("toys")
@pytest.mark.parametrize("offline", ["0", "1"])
def test_weights_to_fetch_by_hand_are_asked_for_by_their_file(tmp_path, monkeypatch, offline):
    monkeypatch.setenv("REIDCORE_HOME", str(tmp_path))
    monkeypatch.setenv("REIDCORE_OFFLINE", offline)
    file = "ckpt_default_pretrain_pose_mae_vit_base_patch16_LUPersonPose_399.pth"
    with pytest.raises(UserError, match=r"github\.com/junkunyuan/HAP.*pretrained=false") as caught:
        build_model("vit_b_16", 5)
    assert str(tmp_path / "weights" / file) in str(caught.value)


RUN = {
    "transreid_vit_b": ["model.sie=camera", "model.jpm=true", "model.stride=12"],
    "vit_s_16_pass": [],
    "vit_b_16_ics": ["model.neck=none", "model.head.neck=bnneck"],
}


@pytest.mark.usefixtures("toys")
@pytest.mark.parametrize("name", RUN)
def test_it_trains_is_tested_and_comes_back_from_its_checkpoint(tmp_path, name):
    overrides = [
        *("data.height=64", "data.width=32", "loss.name=triplet", "train.lr=0.001"),
        *("sampler.train_sampler=RandomIdentitySampler", *RUN[name]),
    ]
    run = tiny_run(save_dir=tmp_path, model=name, overrides=overrides)
    assert 0 < run.result["targets"]["tiny"]["mAP"] <= 1
    extract = FeatureExtractor(model_path=tmp_path / "model.pth.tar-1", device="cpu", verbose=False)
    run.engine.set_model_mode("eval")
    batch = next(iter(run.engine.test_loader["tiny"]["query"]))
    with torch.no_grad():
        wanted = run.engine.extract_features(
            batch["img"]
        )  # images alone, as the extractor has them
    paths = [sample.path for sample in run.engine.datamanager.test_dataset["tiny"]["query"]]
    torch.testing.assert_close(extract(paths[: len(wanted)]), wanted, atol=1e-4, rtol=1e-4)


@pytest.mark.usefixtures("toys")
class TestTransReID(conformance.ModelConformance):
    """With side information and jigsaw parts."""

    name = "transreid_vit_b"
    image_size = SIZE
    options = {"sie": "both", "jpm": True, "stride": 12}  # noqa: RUF012


@pytest.mark.usefixtures("toys")
class TestPass(conformance.ModelConformance):
    """With tokens for parts."""

    name = "vit_s_16_pass"
    image_size = SIZE


@pytest.mark.usefixtures("toys")
class TestStem(conformance.ModelConformance):
    """Behind a stem."""

    name = "vit_s_16_ics"
    image_size = SIZE


@pytest.mark.usefixtures("toys")
@pytest.mark.parametrize("name", ["transreid_vit_b", "vit_s_16_pass"])
def test_it_is_exported_with_its_features(name):
    model = build_model(name, 5, pretrained=False, image_size=SIZE).eval()
    images = torch.randn(2, 3, *SIZE)
    program = torch.export.export(model, (images,))
    torch.testing.assert_close(program.module()(images), model(images))


@pytest.mark.usefixtures("toys")
def test_it_is_exported_with_the_cameras_that_it_is_told():
    options = {"sie": "camera", "jpm": True, "num_cameras": 3}
    model = build_model("transreid_vit_b", 5, pretrained=False, image_size=SIZE, **options).eval()
    images, cameras = torch.randn(3, 3, *SIZE), torch.tensor([2, 0, 9])
    program = torch.export.export(model, (images,), {"camid": cameras})
    found = program.module()(images, camid=cameras)
    torch.testing.assert_close(found, model(images, camid=cameras))
    assert not torch.allclose(found, model(images))
