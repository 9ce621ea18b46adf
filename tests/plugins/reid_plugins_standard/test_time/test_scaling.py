"""Length 1, and what a camera's features have in common."""

from __future__ import annotations

import pytest
import torch
from reid_plugins_standard.test_time import Setting
from reid_plugins_standard.test_time.scaling import CameraMean, Normalize

from reidcore.evaluation import Labels

# Cameras 0 and 1 see two images each, camera 5 one.
QUERY = torch.tensor([[1.0, 0.0], [5.0, 4.0]])
GALLERY = torch.tensor([[3.0, 2.0], [7.0, 4.0], [4.0, 0.0]])
SETTING = Setting(Labels([0, 1], [0, 1, 2], [0, 1], [0, 1, 5]))


def test_features_have_length_1_and_zero_stays() -> None:
    query, gallery = torch.tensor([[3.0, 4.0]]), torch.zeros(1, 2)
    query, gallery = Normalize().transform(query, gallery, SETTING)
    torch.testing.assert_close(query, torch.tensor([[0.6, 0.8]]))
    assert gallery.tolist() == [[0, 0]]


def test_the_mean_of_each_camera_is_taken_off() -> None:
    query, gallery = CameraMean(least=1).transform(QUERY, GALLERY, SETTING)
    assert query.tolist() == [[-1, -1], [-1, 0]]
    assert gallery.tolist() == [[1, 1], [1, 0], [0, 0]]


def test_a_camera_of_few_images_has_the_mean_of_all(caplog: pytest.LogCaptureFixture) -> None:
    _, gallery = CameraMean(least=2).transform(QUERY, GALLERY, SETTING)
    assert gallery.tolist() == [[1, 1], [1, 0], [0, -2]]  # the mean of all is (4, 2)
    assert not caplog.records
    query, gallery = CameraMean(least=3).transform(QUERY, GALLERY, SETTING)
    assert "camera_mean.least is 3, and no camera has so many images" in caplog.text
    assert (query + 4).tolist() == [[1, 2], [5, 6]]


def test_deviations_are_divided_by_and_what_does_not_vary_is_zero() -> None:
    query, gallery = CameraMean(deviation=True).transform(2 * QUERY, 2 * GALLERY, SETTING)
    torch.testing.assert_close(query, torch.tensor([[-1.0, -1.0], [-1.0, 0.0]]))
    torch.testing.assert_close(gallery[:2], torch.tensor([[1.0, 1.0], [1.0, 0.0]]))


@pytest.mark.parametrize("shift", [0.0, 100.0])
def test_no_camera_has_a_mean_of_its_own_afterwards(sides, labels, shift) -> None:
    query, gallery = sides
    query, gallery = CameraMean().transform(query + shift, gallery, Setting(labels))
    torch.testing.assert_close(query.mean(0), torch.zeros(5), atol=1e-5, rtol=0)
    for camera in (1, 2):
        seen = gallery[torch.from_numpy(labels.g_camids == camera)]
        torch.testing.assert_close(seen.mean(0), torch.zeros(5), atol=1e-5, rtol=0)
