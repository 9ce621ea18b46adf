"""Each tracker's colours and boxes: the right ones give the extractor's features, others do not."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from reid_plugins_trackers.boxmot import BoxmotEncoder
from reid_plugins_trackers.deep_sort_realtime import DeepSortEmbedder
from reid_plugins_trackers.libreyolo import LibreYoloEmbedder
from reid_plugins_trackers.norfair import NorfairEmbedder
from reid_plugins_trackers.supervision import DetectionAnnotator
from reid_plugins_trackers.ultralytics import UltralyticsEncoder


@dataclass
class Detections:
    """As supervision has them, as far as an adapter looks."""

    xyxy: np.ndarray
    data: dict = field(default_factory=dict)


def boxmot(extractor, frame, boxes):
    return BoxmotEncoder(extractor).get_features(boxes, frame)


def boxmot_pipelines(extractor, frame, boxes):
    image = torch.from_numpy(frame).permute(2, 0, 1).contiguous()
    found = SimpleNamespace(geometry=SimpleNamespace(values=torch.from_numpy(boxes)))
    (rows,) = BoxmotEncoder(extractor).encode([SimpleNamespace(image=image)], [found])
    return rows.numpy()


def ultralytics(extractor, frame, boxes):
    return np.stack(UltralyticsEncoder(extractor)(frame, boxes))


def supervision(extractor, frame, boxes):
    return DetectionAnnotator(extractor)(Detections(boxes), frame).data["embedding"]


def deep_sort_realtime(extractor, frame, boxes):
    found = [(box.tolist(), 0.9, "person") for box in boxes]
    return np.stack(DeepSortEmbedder(extractor).embeds(frame, found))


def deep_sort_realtime_crops(extractor, frame, boxes):
    crops = [frame[top : top + h, left : left + w] for left, top, w, h in boxes.astype(int)]
    return np.stack(DeepSortEmbedder(extractor).predict(crops))


def norfair(extractor, frame, boxes):
    found = [SimpleNamespace(points=box.reshape(2, 2), embedding=None) for box in boxes]
    return np.stack([each.embedding for each in NorfairEmbedder(extractor)(frame, found)])


def libreyolo(extractor, frame, boxes):
    return LibreYoloEmbedder(extractor)(frame, boxes)


# Adapter, the colour of a frame, the form of a box: the conventions of docs/trackers.md.
TABLE = [
    (boxmot, "bgr", "xyxy"),
    (boxmot_pipelines, "rgb", "xyxy"),
    (ultralytics, "bgr", "xywh"),
    (supervision, "bgr", "xyxy"),
    (deep_sort_realtime, "bgr", "ltwh"),
    (deep_sort_realtime_crops, "bgr", "ltwh"),
    (norfair, "bgr", "xyxy"),
    (libreyolo, "rgb", "xyxy"),
]
OTHER = {"bgr": "rgb", "rgb": "bgr", "xyxy": "ltwh", "xywh": "ltwh", "ltwh": "xywh"}
each_tracker = pytest.mark.parametrize(
    ("adapter", "color", "format"), TABLE, ids=[row[0].__name__ for row in TABLE]
)


def coloured(frame: np.ndarray, color: str) -> np.ndarray:
    return np.ascontiguousarray(frame[..., ::-1]) if color == "bgr" else frame


def formed(boxes: np.ndarray, format: str) -> np.ndarray:
    """Return left, top, right and bottom in another form."""
    corners, sides = boxes[:, :2], boxes[:, 2:] - boxes[:, :2]
    forms = {
        "xyxy": boxes,
        "ltwh": np.hstack([corners, sides]),
        "xywh": np.hstack([corners + sides / 2, sides]),
    }
    return forms[format]


def likeness(ours: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Return the cosine of each pair of rows."""
    lengths = np.linalg.norm(ours, axis=1) * np.linalg.norm(others, axis=1)
    return (ours * others).sum(axis=1) / lengths


@pytest.fixture
def expected(extractor, frame, boxes) -> np.ndarray:
    return extractor.crops(frame, boxes, format="xyxy", color="rgb").numpy()


@each_tracker
def test_the_trackers_own_form_gives_the_extractors_features(
    adapter, color, format, extractor, frame, boxes, expected
) -> None:
    got = adapter(extractor, coloured(frame, color), formed(boxes, format))
    assert got.dtype == np.float32
    np.testing.assert_allclose(likeness(got, expected), 1, atol=1e-6)
    np.testing.assert_allclose(np.linalg.norm(got, axis=1), 1, atol=1e-6)


@each_tracker
def test_another_colour_gives_others(
    adapter, color, format, extractor, frame, boxes, expected
) -> None:
    got = adapter(extractor, coloured(frame, OTHER[color]), formed(boxes, format))
    assert (likeness(got, expected) < 0.9).all()


@each_tracker
def test_another_form_of_boxes_gives_others(
    adapter, color, format, extractor, frame, boxes, expected
) -> None:
    got = adapter(extractor, coloured(frame, color), formed(boxes, OTHER[format]))
    assert (likeness(got, expected) < 0.99).all()


@each_tracker
def test_people_are_in_the_order_of_their_boxes(
    adapter, color, format, extractor, frame, boxes, expected
) -> None:
    got = adapter(extractor, coloured(frame, color), formed(boxes[::-1].copy(), format))
    np.testing.assert_allclose(likeness(got[::-1], expected), 1, atol=1e-6)
