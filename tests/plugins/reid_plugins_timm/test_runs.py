"""A ViT and a ConvNeXt from configuration to record, and back from the checkpoint."""

from __future__ import annotations

import pytest
import torch

from reidcore.inference import FeatureExtractor
from reidcore.models import build_model, summarize
from reidcore.testing import tiny_run

RUNS = {
    "timm/test_vit": ["loss.name=triplet", "sampler.train_sampler=RandomIdentitySampler"],
    # Of 24 images oneDNN makes NaN in bf16 on processors with AMX: its strided 2x2 convolution.
    "timm/test_convnext": [
        *("model.head.neck=bnneck", "model.head.pool=gem", "train.amp=bf16"),
        "test.batch_size=8",
    ],
}


@pytest.mark.parametrize("name", RUNS)
def test_it_trains_evaluates_and_gives_features(tmp_path, name) -> None:
    size = ["data.height=64", "data.width=32", "train.max_epoch=2", "train.lr=0.001"]
    run = tiny_run(save_dir=tmp_path, model=name, overrides=[*size, *RUNS[name]])
    assert len(run.result["training"]) == 2
    assert 0 < run.result["targets"]["tiny"]["mAP"] <= 1

    extract = FeatureExtractor(model_path=tmp_path / "model.pth.tar-2", device="cpu", verbose=False)
    query = run.engine.datamanager.test_dataset["tiny"]["query"]
    run.engine.set_model_mode("eval")
    batch = next(iter(run.engine.test_loader["tiny"]["query"]))
    with torch.no_grad():
        wanted = run.engine.extract_features(batch["img"])
    found = extract([sample.path for sample in query][: len(wanted)])
    assert found.shape == (len(wanted), 64)
    torch.testing.assert_close(found, wanted, atol=1e-4, rtol=1e-4)


def test_extractor_and_outline_build_it_for_the_images_they_are_told(tmp_path) -> None:
    name, size = "timm/test_vit_relpos", (64, 32)
    torch.save(build_model(name, 3, pretrained=False, image_size=size).state_dict(), tmp_path / "w")
    extract = FeatureExtractor(name, tmp_path / "w", image_size=size, device="cpu", verbose=False)
    assert extract(torch.zeros(2, 3, *size)).shape == (2, 96)
    measured = summarize(name, size)
    assert (measured.height, measured.width, measured.feature_dim) == (*size, 96)
