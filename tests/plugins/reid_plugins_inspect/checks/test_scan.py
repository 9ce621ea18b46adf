from __future__ import annotations

import os
import signal
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from reid_plugins_inspect.checks import channel_statistics, scan
from reid_plugins_inspect.checks.image_stats import DAMAGED, GOOD
from reid_plugins_inspect.checks.scan import scan_files

from reidcore.errors import DataError


@pytest.fixture
def paths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Files enough for several pieces; the fourth is no picture."""
    monkeypatch.setattr(scan, "PIECE", 3)
    rng = np.random.default_rng(0)
    files = [tmp_path / f"{number}.png" for number in range(10)]
    for number, file in enumerate(files):
        pixels = rng.integers(0, 256, (4 + number, 7, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(file)
    files[3].write_text("no picture")
    return [str(file) for file in files]


@pytest.mark.parametrize("workers", [0, 2])
def test_image_stats_come_in_order_from_any_number_of_processes(
    paths: list[str], workers: int
) -> None:
    done: list[int] = []
    image_stats, unreadable = scan_files(paths, workers, done.append)
    assert image_stats["height"].tolist() == [4, 5, 6, 0, 8, 9, 10, 11, 12, 13]
    assert [state == GOOD for state in image_stats["state"].tolist()].count(False) == 1
    assert image_stats["state"][3] == DAMAGED
    assert unreadable == {3: "not an image"}
    assert sum(done) == 10
    assert image_stats["bytes"].tolist() == [Path(path).stat().st_size for path in paths]


@pytest.mark.parametrize("workers", [0, 2])
def test_channel_statistics_are_those_of_images_of_one_size(paths: list[str], workers: int) -> None:
    done: list[int] = []
    found = channel_statistics(paths, workers, done.append)
    good = [path for number, path in enumerate(paths) if number != 3]
    pixels = [np.asarray(Image.open(path), dtype=np.float64) / 255 for path in good]
    mean = np.mean([image.mean(axis=(0, 1)) for image in pixels], axis=0)
    square = np.mean([(image**2).mean(axis=(0, 1)) for image in pixels], axis=0)
    assert np.allclose(found.mean, mean, rtol=1e-12)
    assert np.allclose(found.std, np.sqrt(square - mean**2), rtol=1e-12)
    assert (found.images, found.skipped, sum(done)) == (9, 1, 10)


def test_no_readable_image_is_an_error(paths: list[str]) -> None:
    with pytest.raises(DataError, match="of 1 image none can be read"):
        channel_statistics([paths[3]], 0)


def test_what_a_grey_picture_says(make_stats: Callable[..., np.ndarray]) -> None:
    image_stats = make_stats(Image.new("L", (20, 10), 128))
    assert (image_stats["across"], image_stats["down"]) == (0, 0)
    ramp = Image.fromarray(np.tile(np.arange(0, 180, 9, dtype=np.uint8), (20, 1)))
    image_stats = make_stats(ramp)
    assert (int(image_stats["across"]), int(image_stats["down"])) == (2**64 - 1, 0)


@pytest.fixture
def make_stats(tmp_path: Path) -> Callable[..., np.ndarray]:
    """Return the record of a picture that is written to a file."""

    def make(image: Image.Image) -> np.ndarray:
        image.save(tmp_path / "one.png")
        image_stats, _ = scan_files([str(tmp_path / "one.png")], 0)
        return image_stats[0]

    return make


def die(paths: Sequence[str]) -> int:
    os.kill(os.getpid(), signal.SIGKILL)
    return len(paths)


def test_a_process_that_is_killed_says_what_to_change(paths: list[str]) -> None:
    with pytest.raises(DataError, match=r"was killed\. Most often memory ran out.*--workers"):
        list(scan.in_pieces(die, paths, 2))
