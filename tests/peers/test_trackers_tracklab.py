"""tracklab finds our module by Hydra and runs it in its engine."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import torch

pytest.importorskip("tracklab.engine")
pd = pytest.importorskip("pandas", reason="tracklab needs pandas")


@pytest.fixture
def module(extractor, tmp_path):
    """The module as tracklab makes it, of its configuration with ours on the search path."""
    from hydra import compose, initialize_config_module
    from hydra.utils import instantiate

    with initialize_config_module("tracklab.configs", version_base=None), extractor.plugins:
        config = compose(
            "config",
            overrides=[
                "modules/reid=reidcore",
                f"modules.reid.model_path={tmp_path / 'pixels.pth'}",
                "modules.reid.model_name=pixels",
                "+modules.reid.extractor.image_size=[32,16]",
                "modules.reid.batch_size=5",
            ],
        )
        return instantiate(config.modules.reid, device="cpu", tracking_dataset=None)


@pytest.fixture
def tracking_set(walk, tmp_path):
    """The first frames of the walk on disk, in tracklab's tables."""
    from tracklab.datastruct import TrackingSet

    images, detections = [], []
    for number, moment in enumerate(walk[:4]):
        path = tmp_path / f"{number}.png"
        cv2.imwrite(str(path), moment.bgr)
        images.append({"id": number, "frame": number, "video_id": 0, "file_path": str(path)})
        for box in moment.ltwh:
            detections.append({"image_id": number, "video_id": 0, "bbox_ltwh": box})
    return TrackingSet(
        pd.DataFrame([{"id": 0, "name": "walk"}]).set_index("id", drop=False),
        pd.DataFrame(images).set_index("id", drop=False),
        pd.DataFrame(detections),
    )


@pytest.mark.parametrize("workers", [0, 2])
def test_detections_get_their_embeddings(workers, module, tracking_set, extractor, walk) -> None:
    from tracklab.datastruct import TrackerState
    from tracklab.engine.offline import OfflineTrackingEngine
    from tracklab.pipeline import Pipeline

    assert module.level == "detection"
    pipeline = Pipeline([module])
    state = TrackerState(tracking_set, pipeline=pipeline, load_from_groundtruth=True)
    engine = OfflineTrackingEngine(modules=pipeline, tracker_state=state, num_workers=workers)
    engine.track_dataset()
    found = state.detections_pred
    assert len(found) == 8
    for (_, row), moment in zip(found.iloc[::2].iterrows(), walk, strict=False):
        ours = torch.nn.functional.normalize(extractor.crops(moment.frame, moment.boxes[:1]))
        np.testing.assert_allclose(row.embeddings, ours.numpy(), atol=1e-6)
        assert row.visibility_scores == np.ones(1)
