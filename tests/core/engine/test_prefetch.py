"""Batches that are completed beside the step: in a stream of their own, on CUDA alone."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import torch
from torch import Tensor

from reidcore.engine.prefetch import beside_the_step

CPU, CUDA = torch.device("cpu"), torch.device("cuda")


class Images(torch.Tensor):
    """Images that tell which stream uses them."""

    def record_stream(self, stream: Any) -> None:
        """Tell it."""
        STREAMS.did(f"used in {stream}")


class Streams:
    """Stands for CUDA's streams, and remembers what happened in which."""

    def __init__(self) -> None:
        self.log: list[str] = []
        self.current = "step"

    def did(self, what: str) -> None:
        """Remember what was done now."""
        self.log.append(f"{self.current}: {what}")

    @contextmanager
    def stream(self, stream: Any) -> Iterator[None]:
        """Let what follows happen in a stream."""
        before, self.current = self.current, str(stream)
        yield
        self.current = before


class Stream:
    """A stream."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __str__(self) -> str:
        return self.name

    def wait_stream(self, other: Stream) -> None:
        """Wait for what another was given so far."""
        STREAMS.did(f"{self} waits for {other}")


STREAMS = Streams()


@pytest.fixture
def streams(monkeypatch: pytest.MonkeyPatch) -> Streams:
    """CUDA's streams, where there are none."""
    STREAMS.log.clear()
    monkeypatch.setattr(torch.cuda, "Stream", lambda device: Stream("side"))
    monkeypatch.setattr(torch.cuda, "current_stream", lambda device: Stream("step"))
    monkeypatch.setattr(torch.cuda, "stream", STREAMS.stream)
    return STREAMS


def loader(views: int = 1) -> Iterator[dict[str, Any]]:
    for number in range(2):
        STREAMS.did(f"reads {number}")
        images = [torch.full((2, 3, 4, 4), float(number)).as_subclass(Images)] * views
        yield {"img": images if views > 1 else images[0], "pid": number}


def moved(images: Tensor) -> Tensor:
    STREAMS.did("moves")
    return images


def test_on_cuda_each_batch_is_made_in_the_side_stream_after_the_step_before(
    streams: Streams,
) -> None:
    for batch in beside_the_step(loader(), CUDA, moved):
        streams.did(f"trains on {batch['pid']}")
    of_one_batch = [
        "side: reads {0}",
        "side: moves",
        "step: step waits for side",
        "step: used in step",
        "step: trains on {0}",
    ]
    assert streams.log == [line.format(n) for n in range(2) for line in of_one_batch]


def test_on_cuda_each_view_is_kept_for_the_step(streams: Streams) -> None:
    batch = next(iter(beside_the_step(loader(views=2), CUDA, moved)))
    assert len(batch["img"]) == 2
    assert streams.log.count("step: used in step") == 2


def test_elsewhere_batches_are_as_they_come() -> None:
    batches = [{"img": torch.zeros(1)}, {"img": torch.ones(1)}]
    given = list(beside_the_step(batches, CPU, lambda images: pytest.fail("nothing is moved")))
    assert [id(each) for each in given] == [id(each) for each in batches]


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs CUDA")
def test_on_a_gpu_the_images_are_those_of_the_loader() -> None:
    batches = [{"img": torch.full((4, 3, 64, 32), float(n)).pin_memory()} for n in range(20)]
    device = torch.device("cuda")
    move = lambda images: images.to(device, non_blocking=True)  # noqa: E731
    for number, batch in enumerate(beside_the_step(batches, device, move)):
        assert torch.equal(batch["img"].cpu(), batches[number]["img"])
