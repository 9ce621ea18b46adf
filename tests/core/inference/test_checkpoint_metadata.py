"""What a checkpoint says is enough to test its model again."""

from __future__ import annotations

import pytest
import torch

from reidcore.config import load_config
from reidcore.errors import CheckpointError
from reidcore.inference import CheckpointMetadata, read_metadata

FED = {"height": 64, "width": 32, "norm_mean": [0.5] * 3, "norm_std": [0.2] * 3}


def test_a_model_built_by_hand_is_tested_as_it_was():
    record = CheckpointMetadata(
        preprocessing={**FED, "interpolation": "bilinear", "letterbox": [1, 2, 3]},
        model={
            "name": "osnet_x0_25",
            "options": {"feature_dim": 64},
            "head": {"neck": "bnneck"},
            "image_size": [64, 32],
        },
        test={"dist_metric": "cosine", "normalize_feature": True},
    )
    config = load_config(record.configuration(), ["data.targets=market1501"])
    assert (config.model.name, config.model.feature_dim) == ("osnet_x0_25", 64)
    assert config.model.head.neck == "bnneck"
    assert config.data.norm_mean == [0.5] * 3
    assert config.data.transforms == ["letterbox"]
    assert config.sections["letterbox"] == {"fill": [1, 2, 3]}
    assert config.test.normalize_feature
    assert record.model_options() == {
        "feature_dim": 64,
        "head": {"neck": "bnneck"},
        "image_size": (64, 32),
    }


def test_what_concerns_training_alone_is_left_out():
    config = load_config(None, ["loss.name=triplet", "data.targets=cuhk03"])
    whole = {**config.model_dump(mode="json"), "cuhk03": {"labeled_images": True}, "gone": {"a": 1}}
    kept = CheckpointMetadata(config=whole).configuration()
    assert kept["cuhk03"] == {"labeled_images": True}
    assert not {"loss", "train", "sampler", "gone"} & kept.keys()
    assert load_config(kept).data.targets == ["cuhk03"]


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        (CheckpointMetadata(model={"name": "osnet_x0_25"}, preprocessing=FED), "pillow"),
        (
            CheckpointMetadata(
                model={"name": "osnet_x0_25"}, preprocessing={**FED, "resize": "torch"}
            ),
            "torch",
        ),
        (
            CheckpointMetadata(config={"model": {"name": "osnet_x0_25"}, "data": {"height": 64}}),
            "pillow",
        ),
        (CheckpointMetadata(config={"model": {}, "data": {"resize": "torch"}}), "torch"),
    ],
)
def test_images_are_resized_by_pillow_unless_another_resizer_was_recorded(record, expected):
    assert load_config(record.configuration()).data.resize == expected


@pytest.mark.parametrize("recorded", [{}, {"reading": "viewer", "value_range": [0.0, 9.0]}])
@pytest.mark.parametrize("config", [{}, {"model": {"name": "osnet_x0_25"}, "data": {}}])
def test_images_are_read_as_by_torchreid_unless_another_reading_was_recorded(recorded, config):
    record = CheckpointMetadata(
        config=config, model={"name": "osnet_x0_25"}, preprocessing={**FED, **recorded}
    )
    data = load_config(record.configuration()).data
    assert data.reading == recorded.get("reading", "torchreid")
    assert data.value_range == recorded.get("value_range")


def test_a_record_that_is_laid_out_otherwise_is_refused(tmp_path):
    torch.save({"reidcore": {"model": ["osnet"]}}, tmp_path / "odd.pth")
    with pytest.raises(CheckpointError, match="laid out unlike ours"):
        read_metadata(tmp_path / "odd.pth")
