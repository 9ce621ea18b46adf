"""Crops that are cut from frames, and what a model says of them."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import torch
from PIL import Image
from reid_plugins_link.boxes import read_boxes
from reid_plugins_link.crops import Crops, choose_crops
from reid_plugins_link.features import Described, extract_features, read_crops, sharpness
from reid_plugins_link.tracklets import gather

from reidcore.errors import DataError
from reidcore.inference.extractor import ExtractedBatch

SIZE = (90, 60)  # width and height of a frame


class MeanColour:
    """In the place of an extractor: the mean colour of a crop is its feature."""

    def extract(self, crops):
        for place, crop in enumerate(crops):
            feature = torch.from_numpy(crop.reshape(-1, 3).mean(axis=0, dtype=np.float64))
            yield ExtractedBatch([place], feature[None])


def frame_of(number: int) -> np.ndarray:
    """Return a frame whose left half is red and whose right half is green, ever brighter."""
    frame = np.zeros((SIZE[1], SIZE[0], 3), np.uint8)
    frame[:, :45, 0] = frame[:, 45:, 1] = 100 + 10 * number
    return frame


@pytest.fixture
def filmed(mot, tmp_path):
    """Two cameras of four frames: images of one, a video of the other."""
    rows = [(f, t, 50 * (t - 1) + 5, 5, 20, 40) for f in range(1, 5) for t in (1, 2)]
    boxes = [read_boxes(mot(tmp_path / f"{name}.txt", *rows)) for name in "ab"]
    (tmp_path / "a").mkdir()
    video = cv2.VideoWriter(str(tmp_path / "b.avi"), cv2.VideoWriter.fourcc(*"MJPG"), 2.0, SIZE)
    for number in range(1, 5):
        Image.fromarray(frame_of(number)).save(tmp_path / "a" / f"img_{number:04d}.png")
        video.write(frame_of(number)[..., ::-1])
    video.release()
    clocks = dict.fromkeys("ab", (2.0, 0.0))
    return gather(["a", "b"], boxes, clocks), {"a": tmp_path / "a", "b": tmp_path / "b.avi"}


def test_images_and_videos_are_cut_alike(filmed) -> None:
    tracklets, frames = filmed
    crops = choose_crops(tracklets, 2)
    described = extract_features(tracklets, crops, frames, MeanColour())
    assert len(described.crops) == 8
    means = described.means(4)
    for place in range(4):
        expected = np.eye(3)[tracklets.track[place] - 1]  # the left is red, the right green
        np.testing.assert_allclose(means[place], expected, atol=0.05)


def test_a_video_that_ends_early_costs_what_it_lacks(filmed, tmp_path, caplog) -> None:
    tracklets, frames = filmed
    short = cv2.VideoWriter(str(tmp_path / "s.avi"), cv2.VideoWriter.fourcc(*"MJPG"), 2.0, SIZE)
    short.write(frame_of(1)[..., ::-1])
    short.release()
    crops = choose_crops(tracklets, 4)
    described = extract_features(
        tracklets, crops, {**frames, "b": tmp_path / "s.avi"}, MeanColour()
    )
    assert len(described.crops) == 8 + 2
    told = f"the video '{tmp_path}/s.avi' ends before, after 1 frame"
    assert f"6 of 16 crops of tracks left out ({told}): 'b/1', 'b/2'" in caplog.text


def test_boxes_outside_of_the_frame_are_left_out(filmed, mot, tmp_path, caplog) -> None:
    tracklets, frames = filmed
    far = [(1, 1, 500, 5, 20, 40), (2, 1, 5, 5, 20, 40)]
    boxes = [tracklets.boxes[0], read_boxes(mot(tmp_path / "b.txt", *far))]
    moved = gather(["a", "b"], boxes, dict.fromkeys("ab", (2.0, 0.0)))
    described = extract_features(moved, choose_crops(moved, 4), frames, MeanColour())
    assert len(described.crops) == 8 + 1
    assert "1 of 10 crops of tracks left out (outside of the frame): 'b/1'" in caplog.text
    boxes[1] = read_boxes(mot(tmp_path / "b.txt", far[0]))
    moved = gather(["a", "b"], boxes, dict.fromkeys("ab", (2.0, 0.0)))
    with pytest.raises(DataError, match="no box of the camera 'b' lies in its frames"):
        extract_features(moved, choose_crops(moved, 4), frames, MeanColour())


def test_cameras_without_frames_and_folders_without_a_frame_are_told(filmed, caplog) -> None:
    tracklets, frames = filmed
    crops = choose_crops(tracklets, 4)
    with pytest.raises(DataError, match=r"no frames of the camera 'b'.*--frames b=PATH"):
        extract_features(tracklets, crops, {"a": frames["a"]}, MeanColour())
    (frames["a"] / "img_0003.png").unlink()
    (frames["a"] / "img_0002.png").write_bytes(b"no image")
    described = extract_features(tracklets, crops, frames, MeanColour())
    assert len(described.crops) == 16 - 4
    assert "2 of 16 crops of tracks left out (no such frame): 'a/1', 'a/2'" in caplog.text
    assert "2 of 16 crops of tracks left out (not an image)" in caplog.text


def test_good_crops_count_more() -> None:
    crops = Crops(np.array([0, 0, 1]), np.array([0, 1, 0]), np.array([0.75, 0.25, 0.1]))
    features = np.array([[1, 0], [0, 1], [0, 1]], dtype=np.float32)
    described = Described(crops, features)
    np.testing.assert_allclose(described.means(3), [[0.75, 0.25], [0, 1], [0, 0]], atol=1e-6)
    assert described.best_rows(3) == [0, 0, None]


def test_the_product_of_means_is_the_mean_similarity_of_crops() -> None:
    draw = np.random.default_rng(0)
    features = draw.normal(size=(7, 5)).astype(np.float32)
    features /= np.linalg.norm(features, axis=1, keepdims=True)
    crops = Crops(np.array([0, 0, 0, 1, 1, 1, 1]), np.arange(7), np.ones(7))
    means = Described(crops, features).means(2)
    assert means[0] @ means[1] == pytest.approx((features[:3] @ features[3:].T).mean(), abs=1e-6)


def test_blur_lowers_sharpness() -> None:
    sharp = np.random.default_rng(0).integers(0, 255, (128, 64, 3), dtype=np.uint8)
    assert sharpness(cv2.GaussianBlur(sharp, (9, 9), 2)) < 0.2 * sharpness(sharp)


def test_the_blurred_crop_of_a_track_counts_less(filmed) -> None:
    tracklets, frames = filmed
    noise = np.random.default_rng(0).integers(0, 255, (SIZE[1], SIZE[0], 3), dtype=np.uint8)
    for number in range(1, 5):
        pixels = cv2.GaussianBlur(noise, (9, 9), 3) if number == 2 else noise
        Image.fromarray(pixels).save(frames["a"] / f"img_{number:04d}.png")
    described = extract_features(tracklets, choose_crops(tracklets, 4), frames, MeanColour())
    own = described.crops.tracklet == 0
    quality = described.crops.quality[own]
    assert np.argmin(quality) == 1
    assert quality[1] < 0.3 * quality[0]


def test_what_the_box_tells_counts_beside_sharpness(filmed) -> None:
    tracklets, frames = filmed
    crops = choose_crops(tracklets, 2)
    fainter = Crops(crops.tracklet, crops.row, crops.quality / 4)
    full, quarter = (
        extract_features(tracklets, each, frames, MeanColour()).crops.quality
        for each in (crops, fainter)
    )
    np.testing.assert_allclose(quarter, full / 4)


def test_crops_are_read_again_for_pictures(filmed) -> None:
    tracklets, frames = filmed
    rows = {place: int(tracklets.first[place]) for place in range(4)}
    found = dict(read_crops(tracklets, rows, frames))
    assert sorted(found) == [0, 1, 2, 3]
    assert all(crop.shape == (40, 20, 3) for crop in found.values())
