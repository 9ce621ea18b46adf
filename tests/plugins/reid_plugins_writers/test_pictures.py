"""Training images and ranked results in TensorBoard."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from reid_plugins_writers.batch_picture import MOST, picture_of

from reidcore.testing import tiny_run

MEAN, STD = [0.5, 0.25, 0.75], [0.5, 0.25, 0.125]


def batch_of(pixels: torch.Tensor, **columns: object) -> dict[str, object]:
    mean, std = (torch.tensor(each).view(3, 1, 1) for each in (MEAN, STD))
    return {"img": (pixels / 255 - mean) / std, **columns}


def test_images_are_shown_as_they_were_before_they_were_normalised() -> None:
    pixels = torch.randint(0, 256, (3, 3, 20, 40))
    sheet = picture_of(batch_of(pixels, pid=torch.arange(3), camid=torch.arange(3)), MEAN, STD)
    assert sheet is not None
    shown = np.asarray(sheet)[4:24, 48:88]
    np.testing.assert_array_equal(shown, pixels[1].permute(1, 2, 0))


def test_a_picture_has_a_few_images_of_a_large_batch_and_their_labels_below() -> None:
    pixels = torch.full((64, 3, 32, 16), 255)
    bare = picture_of(batch_of(pixels), MEAN, STD)
    named = picture_of(batch_of(pixels, pid=torch.arange(64), camid=torch.zeros(64)), MEAN, STD)
    assert bare is not None
    assert named is not None
    assert bare.size == (4 + 8 * 20, 4 + (MOST // 8) * 52)
    assert np.asarray(bare).min() == 255
    assert np.asarray(named).min() < 150


@pytest.mark.parametrize("kind", ["clips", "views", "unknown normalisation"])
def test_other_batches_are_drawn_too(kind) -> None:
    images = torch.rand(2, 3, 8, 8)
    given = {
        "clips": images[:, None].repeat(1, 5, 1, 1, 1),
        "views": [images, torch.zeros_like(images)],
        "unknown normalisation": images * 7,
    }[kind]
    drawn = picture_of({"img": given}, *((None, None) if "unknown" in kind else ([0] * 3, [1] * 3)))
    assert drawn is not None
    assert np.ptp(np.asarray(drawn)[4:12, 4:12].astype(int)) > 100


@pytest.mark.parametrize("given", [None, [], torch.rand(2, 7), torch.rand(2, 1, 8, 8), "images"])
def test_what_is_no_batch_of_images_is_not_drawn(given) -> None:
    assert picture_of({"img": given}, None, None) is None


def test_a_run_has_pictures_of_its_batches_and_of_its_ranked_results(tmp_path: Path) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    words = [
        "train.max_epoch=3",
        "settings.writers.tensorboard.image_epochs=2",
        "test.visrank=true",
    ]
    tiny_run(save_dir=tmp_path, overrides=words)
    events = EventAccumulator(str(tmp_path))
    events.Reload()
    shown = events.Images("Train/images")
    steps = [event.step for event in events.Scalars("Train/acc")]
    assert [image.step for image in shown] == [1, 1 + 2 * max(steps) // 3]
    assert Image.open(io.BytesIO(shown[0].encoded_image_string)).format == "JPEG"
    (ranked,) = events.Images("Test/tiny/ranked")
    overview = tmp_path / "visrank_tiny" / "overview.jpg"
    assert (ranked.step, ranked.encoded_image_string) == (3, overview.read_bytes())


@pytest.mark.parametrize("switch", ["images=false", "enabled=false"])
def test_pictures_may_be_left_out(tmp_path: Path, switch: str) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    tiny_run(save_dir=tmp_path, overrides=[f"settings.writers.tensorboard.{switch}"])
    events = EventAccumulator(str(tmp_path))
    events.Reload()
    assert events.Tags()["images"] == []
    assert bool(events.Tags()["scalars"]) == (switch == "images=false")
