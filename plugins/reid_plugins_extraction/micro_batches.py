"""One extractor for several cameras: what their threads ask at about the same time runs together.

A network is faster on eight crops of four cameras than on two crops four times. Each thread asks as
if the extractor were its own, waits some milliseconds at most for others to join, and gets its own
features, or its own error.
"""

from __future__ import annotations

import threading
import time
from concurrent.futures import Future
from queue import Empty, Queue
from types import TracebackType
from typing import Any, Literal, NamedTuple, Self

import torch
from torch import Tensor

from reidcore.errors import UserError, quoted
from reidcore.inference import FeatureExtractor, features_in_boxes

__all__ = ["MicroBatcher"]


class _Request(NamedTuple):
    images: list[Any]
    answer: Future[Tensor]


class MicroBatcher:
    """Shares an extractor among threads; it may stand where a `FeatureExtractor` does.

    Args:
        extractor: it.
        max_wait_ms: how long the first request of a batch waits for others.
        max_images: with so many images a batch waits no longer; by default the extractor's
            ``batch_size``.

    Raises:
        UserError: if an argument makes no sense.

    Example:
        >>> with MicroBatcher(FeatureExtractor(model_path="model.onnx")) as shared:
        ...     features = shared.crops(frame, boxes, format="ltwh", color="bgr")  # in any thread
    """

    def __init__(
        self, extractor: FeatureExtractor, max_wait_ms: float = 5.0, max_images: int | None = None
    ) -> None:
        if max_wait_ms < 0:
            raise UserError(f"max_wait_ms={quoted(max_wait_ms)}", "Give 0 or more.")
        self._extractor = extractor
        self._wait = max_wait_ms / 1000
        self._enough = max_images or extractor.batch_size
        self._asked: Queue[_Request | None] = Queue()
        self._gate = threading.Lock()
        self._is_closed = False
        self._thread = threading.Thread(target=self._work, name="reidcore-batches", daemon=True)
        self._thread.start()

    @property
    def feature_dim(self) -> int:
        """How many numbers a feature has."""
        return self._extractor.feature_dim

    def __call__(self, images: Any) -> Tensor:
        """Return the features (B, D) of an image or a list of them, as the extractor does.

        Raises:
            DataError: as of the extractor, for these images alone.
            UserError: if it was closed.
        """
        listed = list(images) if isinstance(images, list | tuple) else [images]
        request = _Request(listed, Future())
        with self._gate:
            if self._is_closed:
                raise UserError("this MicroBatcher was closed", "Make another.")
            self._asked.put(request)
        return request.answer.result()

    def crops(
        self,
        frame: Any,
        boxes: Any,
        format: str = "xyxy",
        color: str = "rgb",
        on_bad: Literal["raise", "zero"] = "raise",
    ) -> Tensor:
        """Return the features (N, D) of what is in the boxes of a frame, as the extractor does."""
        return features_in_boxes(self, frame, boxes, format, color, on_bad)[0]

    def close(self) -> None:
        """Answer what was asked, and end the thread; a second time does nothing."""
        with self._gate:
            if not self._is_closed:
                self._is_closed = True
                self._asked.put(None)
        self._thread.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _work(self) -> None:
        is_open = True
        while is_open:
            requests, is_open = self._together()
            if requests:
                self._answer(requests)

    def _together(self) -> tuple[list[_Request], bool]:
        """Return the requests that run together, and whether more may come."""
        first = self._asked.get()
        if first is None:
            return [], False
        requests, until = [first], time.monotonic() + self._wait
        while sum(len(each.images) for each in requests) < self._enough:
            try:
                each = self._asked.get(timeout=max(0.0, until - time.monotonic()))
            except Empty:
                break
            if each is None:
                return requests, False
            requests.append(each)
        return requests, True

    def _answer(self, requests: list[_Request]) -> None:
        try:
            features, bad = self._described([image for each in requests for image in each.images])
        except BaseException as error:
            if len(requests) > 1:  # whose it is shows when each runs alone
                for each in requests:
                    self._answer([each])
            else:
                requests[0].answer.set_exception(error)
            return
        start = 0
        for each in requests:
            places = range(start, start + len(each.images))
            start = places.stop
            own = next((bad[place] for place in places if place in bad), None)
            if own is not None and len(requests) > 1:
                self._answer([each])  # alone, so that the error counts its own images
            elif own is not None:
                each.answer.set_exception(own)
            else:
                each.answer.set_result(features[places.start : places.stop].clone())

    def _described(self, images: list[Any]) -> tuple[Tensor, dict[int, UserError]]:
        """Return features (N, D), rows of images that cannot be read being left as they are."""
        bad: dict[int, UserError] = {}
        features = torch.zeros(
            len(images), self._extractor.feature_dim, device=self._extractor.device
        )
        for batch in self._extractor.extract(images, on_bad=bad.__setitem__):
            features[batch.places] = batch.features
        return features, bad
