"""BoxMOT's trackers and pipelines with our encoder."""

from __future__ import annotations

import importlib

import numpy as np
import pytest
import torch
from reid_plugins_trackers.boxmot import BoxmotEncoder

pytest.importorskip("boxmot")

# Module -> class and what it needs to be still and to look.
TRACKERS = {
    "botsort": ("BotSort", {"use_cmc": False}),
    "deepocsort": ("DeepOcSort", {"cmc_off": True}),
    "strongsort": ("StrongSort", {}),
    "hybridsort": ("HybridSort", {}),
    "boosttrack": ("BoostTrack", {"use_embeddings": True, "use_cmc": False}),
}


def as_they_have_it(moment, number: int):
    """Return a frame and its detections in BoxMOT's own classes."""
    from boxmot.structures import Boxes, Detections, Frame

    image = torch.from_numpy(moment.frame).permute(2, 0, 1).contiguous()
    detections = Detections(
        geometry=Boxes(torch.from_numpy(moment.boxes)),
        scores=torch.full((2,), 0.9),
        class_ids=torch.zeros(2, dtype=torch.int64),
        sample_id=str(number),
    )
    return Frame(image=image, sample_id=str(number)), detections


@pytest.fixture
def expected(extractor, walk) -> torch.Tensor:
    """The features of the first frame's boxes, of unit length."""
    rows = extractor.crops(walk[0].frame, walk[0].boxes)
    extractor.asked.clear()
    return torch.nn.functional.normalize(rows)


@pytest.mark.parametrize("name", TRACKERS)
def test_a_tracker_keeps_both_people(name, extractor, walk) -> None:
    class_name, options = TRACKERS[name]
    module = importlib.import_module(f"boxmot.trackers.box.{name}.tracker")
    tracker = getattr(module, class_name)(reid_model=BoxmotEncoder(extractor), **options)
    pairs = set()
    for moment in walk:
        scored = np.hstack([moment.boxes, [[0.9, 0], [0.9, 0]]]).astype(np.float32)
        # left, top, right, bottom, track, score, class, which detection
        pairs |= {(row[4], row[7]) for row in tracker.update(scored, moment.bgr)}
    assert len(pairs) == len({track for track, _ in pairs}) == 2
    assert extractor.asked == [2] * len(walk)


def test_a_frame_without_detections_is_passed_over(extractor, walk) -> None:
    from boxmot.trackers.box.botsort.tracker import BotSort

    tracker = BotSort(reid_model=BoxmotEncoder(extractor), use_cmc=False)
    assert len(tracker.update(np.empty((0, 6), dtype=np.float32), walk[0].bgr)) == 0
    assert extractor.asked == []


def test_it_is_an_appearance_encoder_of_theirs(extractor, walk, expected) -> None:
    from boxmot.pipelines.perception import PerceptionPipeline, PipelineOutputs
    from boxmot.reid import AppearanceEncoder, EncoderRequirements

    encoder = BoxmotEncoder(extractor, requirements=EncoderRequirements())
    assert isinstance(encoder, AppearanceEncoder)
    pipeline = PerceptionPipeline(reid=encoder, outputs=PipelineOutputs(embeddings=True))
    frame, detections = as_they_have_it(walk[0], 0)
    (enriched,) = pipeline.enrich([frame], [detections])
    torch.testing.assert_close(enriched.embeddings, expected)


def test_their_own_encoder_around_it_gives_the_same(extractor, walk, expected) -> None:
    from boxmot.reid.adapters import RuntimeAppearanceEncoder
    from boxmot.reid.specs import ReIDEncoderSpec

    around = RuntimeAppearanceEncoder(ReIDEncoderSpec(backend="ours"), BoxmotEncoder(extractor))
    assert around.embedding_dim == expected.shape[1]
    frame, detections = as_they_have_it(walk[0], 0)
    (rows,) = around.encode([frame], [detections])
    torch.testing.assert_close(rows, expected)


def test_their_reid_takes_it_for_a_backend(extractor, walk, expected) -> None:
    from boxmot.reid.core import ReID

    rows = ReID.from_backend(BoxmotEncoder(extractor))(walk[0].bgr, boxes=walk[0].boxes)
    np.testing.assert_allclose(rows, expected.numpy(), atol=1e-6)


def test_oriented_boxes_are_tracked(extractor, walk) -> None:
    from boxmot.trackers.box.botsort.tracker import BotSort

    tracker = BotSort(reid_model=BoxmotEncoder(extractor), use_cmc=False, is_obb=True)
    pairs = set()
    for moment in walk:
        middles, sides = moment.ltwh[:, :2] + moment.ltwh[:, 2:] / 2, moment.ltwh[:, 2:]
        rest = np.tile([0.0, 0.9, 0.0], (2, 1))  # angle, score, class
        rows = np.hstack([middles, sides, rest]).astype(np.float32)
        # centre, width, height, angle, track, score, class, which detection
        pairs |= {(row[5], row[8]) for row in tracker.update(rows, moment.bgr)}
    assert len(pairs) == len({track for track, _ in pairs}) == 2
    assert extractor.asked == [2] * len(walk)
