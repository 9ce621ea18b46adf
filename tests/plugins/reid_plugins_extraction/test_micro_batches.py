"""Sharing an extractor: the right features, and the right errors, for each thread."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from reid_plugins_extraction.micro_batches import MicroBatcher

from reidcore.errors import DataError, UserError


def same(found: torch.Tensor, wanted: torch.Tensor) -> None:
    torch.testing.assert_close(found, wanted, atol=1e-6, rtol=1e-5)


@pytest.fixture
def sizes(extractor, monkeypatch) -> list[int]:
    """How many images ran together, run by run."""
    counts: list[int] = []
    extract = extractor.extract

    def noting(images, on_bad=None):
        counts.append(len(images))
        return extract(images, on_bad)

    monkeypatch.setattr(extractor, "extract", noting)
    return counts


def test_threads_get_their_own_features_and_run_together(extractor, pixels, sizes) -> None:
    boxes = [[[number, 2, number + 20, 30], [5, number, 40, 40]] for number in range(6)]
    wanted = [extractor.crops(frame, each) for frame, each in zip(pixels, boxes, strict=True)]
    sizes.clear()
    start = threading.Barrier(6)
    with MicroBatcher(extractor, max_wait_ms=1000, max_images=12) as shared:

        def ask(number: int) -> torch.Tensor:
            start.wait()
            return shared.crops(pixels[number], boxes[number])

        with ThreadPoolExecutor(6) as pool:
            found = list(pool.map(ask, range(6)))
    for one, other in zip(found, wanted, strict=True):
        same(one, other)
    assert sizes == [12]


def test_nobody_waits_longer_than_said(extractor, pixels) -> None:
    with MicroBatcher(extractor, max_wait_ms=1, max_images=1000) as shared:
        shared(pixels[0])
        before = time.monotonic()
        assert shared(list(pixels[:2])).shape == (2, 8)
        assert time.monotonic() - before < 5
        assert shared([]).shape == (0, 8)
        assert shared.feature_dim == 8


def test_an_error_is_that_of_its_thread_alone(extractor, pixels) -> None:
    start = threading.Barrier(3)
    images = [pixels[0], "gone.jpg", pixels[1]]
    with MicroBatcher(extractor, max_wait_ms=1000, max_images=3) as shared:

        def ask(image):
            start.wait()
            return shared(image)

        with ThreadPoolExecutor(3) as pool:
            first, second, third = (pool.submit(ask, image) for image in images)
        with pytest.raises(DataError, match=r"cannot read the image gone.jpg"):
            second.result()
        same(first.result(), extractor(pixels[0]))
        same(third.result(), extractor(pixels[1]))


def test_an_error_counts_the_images_of_its_own_request(extractor, pixels) -> None:
    start = threading.Barrier(2)
    with MicroBatcher(extractor, max_wait_ms=1000, max_images=4) as shared:

        def ask(images):
            start.wait()
            return shared(images)

        with ThreadPoolExecutor(2) as pool:
            asked = [pool.submit(ask, [pixels[0], pixels[0][..., 0]]) for _ in range(2)]
        for each in asked:
            with pytest.raises(DataError, match="element 1 is an array"):
                each.result()


def test_a_failure_of_the_network_is_found_request_by_request(
    extractor, pixels, monkeypatch
) -> None:
    extract = extractor.extract

    def failing(images, on_bad=None):
        if any(isinstance(image, np.ndarray) and image.shape[0] == 7 for image in images):
            raise RuntimeError("seven")
        return extract(images, on_bad)

    monkeypatch.setattr(extractor, "extract", failing)
    start = threading.Barrier(2)
    with MicroBatcher(extractor, max_wait_ms=1000, max_images=2) as shared:

        def ask(image):
            start.wait()
            return shared(image)

        with ThreadPoolExecutor(2) as pool:
            good, bad = pool.submit(ask, pixels[0]), pool.submit(ask, pixels[0][:7])
        assert good.result().shape == (1, 8)
        with pytest.raises(RuntimeError, match="seven"):
            bad.result()


def test_closing_answers_what_was_asked_and_refuses_more(extractor, pixels) -> None:
    shared = MicroBatcher(extractor, max_wait_ms=300, max_images=1000)
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(shared, pixels[0])
        while shared._asked.empty() and not waiting.done() and not waiting.running():
            time.sleep(0.001)
        time.sleep(0.05)
        shared.close()
        assert waiting.result().shape == (1, 8)
    shared.close()
    with pytest.raises(UserError, match=r"was closed. Make another"):
        shared(pixels[0])
    with pytest.raises(UserError, match="max_wait_ms=-1"):
        MicroBatcher(extractor, max_wait_ms=-1)
