"""How images are read is the run's choice, on every road from a file to a batch."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from reidcore.config.options import DataOptions
from reidcore.data import DataManager, ImageDataManager, SampleTable, VideoDataManager
from reidcore.data.dataset import ImageDataset
from reidcore.data.images.decode import read_image
from reidcore.data.images.reading import TORCHREID, VIEWER
from reidcore.data.sample import Splits
from reidcore.errors import DataError
from reidcore.registry import Chooser

RNG = np.random.default_rng(0)
THERMAL = RNG.integers(7000, 9041, (12, 6), dtype=np.uint16)
UNIT = {"norm_mean": [0, 0, 0], "norm_std": [1, 1, 1]}
"""Bytes become 0 to 1, and nothing else."""


class Asked(ImageDataset):
    """Overrides how an item is made, so that it must be asked."""

    def __getitem__(self, index: int) -> dict[str, Any]:
        return super().__getitem__(index)


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REIDCORE_HOME", str(tmp_path / "home"))


@pytest.fixture
def turned(tmp_path: Path) -> str:
    """A photo that asks to be turned by a quarter."""
    exif = Image.Exif()
    exif[0x0112] = 6
    noise = RNG.integers(0, 256, (6, 12, 3), dtype=np.uint8)
    Image.fromarray(noise).save(tmp_path / "turned.jpg", exif=exif, quality=95)
    return str(tmp_path / "turned.jpg")


@pytest.fixture
def manage(plugins_with: Callable[..., Any]) -> Callable[..., DataManager]:
    """Make a manager whose sets all hold some files."""

    def make(kind: Any, paths: list[Any], asked: bool = False, **options: Any) -> DataManager:
        samples = [(path, 1, camid) for camid, path in enumerate(paths)]

        def factory(root: Path) -> Any:
            return (Asked if asked else Splits)(samples, samples, samples)

        given = {"height": 12, "width": 6, "batch_size": len(paths), "workers": 0, **UNIT}
        own = {"sources": "shop", "transforms": [], "plugins": plugins_with(shop=factory)}
        return kind(**given | own | options)

    return make


def _first(manager: DataManager) -> torch.Tensor:
    """Return the first test image, (12, 6, 3) bytes."""
    batch = next(iter(manager.test_loader["shop"]["query"]))["img"]
    return (batch.flatten(0, -4)[0] * 255).round().permute(1, 2, 0)


@pytest.mark.parametrize("asked", [False, True])
@pytest.mark.parametrize("options", [{}, {"cache": "disk"}, {"cache": "ram"}, {"draft": True}])
def test_images_are_read_as_the_run_says_on_every_road(
    manage: Any, turned: str, asked: bool, options: dict[str, Any]
) -> None:
    expected = np.asarray(read_image(turned, VIEWER)).astype(np.float32)
    lying = Image.fromarray(np.asarray(read_image(turned))).resize((6, 12), 2)
    for _ in range(2):  # what the first one kept is not taken for the other's
        seen = _first(manage(ImageDataManager, [turned], asked, reading="viewer", **options))
        np.testing.assert_array_equal(seen, expected)
        seen = _first(manage(ImageDataManager, [turned], asked, **options))
        np.testing.assert_array_equal(seen, np.asarray(lying))


def test_frames_are_read_so_too(manage: Any, turned: str) -> None:
    expected = np.asarray(read_image(turned, VIEWER)).astype(np.float32)
    video = {"reading": "viewer", "seq_len": 1, "batch_size": 1}
    seen = _first(manage(VideoDataManager, [(turned, turned)], **video))
    np.testing.assert_array_equal(seen, expected)


def test_configurations_read_as_a_viewer_and_torchreids_arguments_as_torchreid(
    manage: Any, turned: str, plugins_with: Any
) -> None:
    assert manage(ImageDataManager, [turned]).preprocessing["reading"] == "torchreid"
    splits = Splits(*[[(turned, 1, 0)]] * 3)
    data = DataOptions(sources=["shop"], targets=["shop"], workers=0, height=12, width=6)
    chooser = Chooser(plugins_with(shop=lambda root: splits))
    manager = DataManager(data, batch_size_train=1, choose=chooser)
    assert manager.preprocessing["reading"] == "viewer"
    picture = Image.open(turned)
    assert torch.equal(
        manager.preprocess_pil_img(picture), manager.transform_te(read_image(turned, VIEWER))
    )


def test_a_range_reaches_the_batch_and_the_record(manage: Any, tmp_path: Path) -> None:
    Image.fromarray(THERMAL).save(tmp_path / "a.png")
    read = {"reading": "viewer", "value_range": [7000, 9040]}
    manager = manage(ImageDataManager, [str(tmp_path / "a.png")], **read)
    expected = np.rint((THERMAL - 7000.0) / 2040 * 255)
    np.testing.assert_array_equal(_first(manager)[..., 0], expected)
    assert {key: manager.preprocessing[key] for key in read} == read


def test_another_range_is_not_read_from_the_cache(manage: Any, tmp_path: Path) -> None:
    Image.fromarray(THERMAL).save(tmp_path / "a.png")
    first, second = (
        _first(
            manage(
                ImageDataManager,
                [str(tmp_path / "a.png")],
                reading="viewer",
                value_range=ends,
                cache="disk",
            )
        )
        for ends in ([0, 20000], [0, 40000])
    )
    assert first.mean() > 1.9 * second.mean()


@pytest.mark.parametrize("asked", [False, True])
def test_a_set_of_unknown_range_is_one_error_and_not_skipped(
    manage: Any, tmp_path: Path, asked: bool
) -> None:
    Image.fromarray(THERMAL.astype(np.float32)).save(tmp_path / "a.tif")
    paths = [str(tmp_path / "a.tif")] * 3
    manager = manage(ImageDataManager, paths, asked, reading="viewer", on_bad_image="skip")
    with pytest.raises(DataError, match=r"a\.tif holds float32, whose range nobody told"):
        next(iter(manager.train_loader))
    assert manager.skipped == {}


def test_a_sample_that_uses_little_of_its_range_is_told_once(
    manage: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    Image.fromarray(THERMAL).save(tmp_path / "a.png")
    paths = [str(tmp_path / "a.png")] * 3
    with caplog.at_level(logging.WARNING):
        manage(ImageDataManager, paths, reading="viewer")
    (line,) = [line for line in caplog.messages if "data.value_range" in line]
    assert "a range from 0 to 65535 leaves few levels" in line
    caplog.clear()
    manage(ImageDataManager, paths, reading="viewer", value_range=[7000, 9040])
    assert not caplog.messages


def test_patches_of_other_images_are_read_so_too(manage: Any, tmp_path: Path) -> None:
    Image.fromarray(np.full((12, 6), 257 * 200, np.uint16)).save(tmp_path / "a.png")
    manager = manage(
        ImageDataManager,
        [str(tmp_path / "a.png")] * 4,
        reading="viewer",
        transforms=["random_patch"],
        random_patch={"p": 1.0, "p_rotate": 0.0},
    )
    batch = next(iter(manager.train_loader))["img"]
    torch.testing.assert_close(batch, torch.full_like(batch, 200 / 255))


def test_a_dataset_by_hand_reads_as_torchreid() -> None:
    assert ImageDataset([], [], [], verbose=False).reading == TORCHREID
    assert not SampleTable.of([])
