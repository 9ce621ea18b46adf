"""A run with a head, and what reads its checkpoint."""

from __future__ import annotations

import json

import numpy as np

from reidcore.testing import fake_dataset


def test_a_run_with_a_head_trains_and_its_checkpoint_is_extracted_with(reidcore, tmp_path) -> None:
    fake_dataset(tmp_path / "tiny")
    (tmp_path / "tiny.py").write_text(
        "from reidcore.testing import TinyWorld\n"
        "reid_register_datasets = TinyWorld().reid_register_datasets\n"
    )
    head = ["model.head.neck=bnneck", "model.head.pool=gem", "model.head.last_stride=1"]
    size = ["data.height=32", "data.width=16", "data.workers=0", "train.batch_size=8"]
    data = ["-s", "tiny", "-t", "tiny", "--root", tmp_path, f"data.save_dir={tmp_path / 'log'}"]
    model = ["model.name=osnet_x0_25", "model.pretrained=false", "train.max_epoch=1"]
    done = reidcore("run", "-p", tmp_path / "tiny.py", *data, *model, *size, *head)
    assert done.returncode == 0, done.stderr
    assert "Last stride 1: conv3.2.1" in done.stdout
    results = json.loads((tmp_path / "log" / "results.json").read_text())
    assert results["config"]["model"]["head"]["neck"] == "bnneck"
    assert results["targets"]["tiny"]["mAP"] > 0

    checkpoint, output = tmp_path / "log" / "model.pth.tar-1", tmp_path / "features.npz"
    done = reidcore("extract", tmp_path / "tiny" / "query", "-w", checkpoint, "-o", output)
    assert done.returncode == 0, done.stderr
    with np.load(output) as written:
        assert written["features"].shape == (24, 128)
