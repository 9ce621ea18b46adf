"""One training by ``reidcore run``'s own parts: a child process of ``train.py``.

The job comes as JSON in the last argument; the last line of the output is what was found, as JSON.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from memory import peak_memory

from reidcore import hookimpl
from reidcore.config import load_config
from reidcore.data import ImageDataset
from reidcore.engine import Engine, TargetTest
from reidcore.engine.build import prepare
from reidcore.plugins import make_plugins


class Photos:
    """The dataset of the job, as a plugin brings it, and a clock.

    Args:
        lists: train, query and gallery, of path, identity and camera each.
        features: file to write those of query and gallery into; none if empty.
    """

    def __init__(self, lists: dict[str, list[Any]], features: str = "") -> None:
        self.lists = lists
        self.features = features
        self.seconds: list[float] = []

    @hookimpl
    def reid_register_datasets(self, registry: Any) -> None:
        """Register the dataset."""
        registry.add("photos", self.make)

    def make(self, root: str) -> ImageDataset:
        """Return the dataset."""
        parts = ([tuple(each) for each in part] for part in self.lists.values())
        return ImageDataset(*parts, verbose=False)

    @hookimpl
    def reid_epoch_start(self, engine: Engine) -> None:
        """Start the clock."""
        self.started = time.perf_counter()

    @hookimpl(tryfirst=True)
    def reid_epoch_end(self, engine: Engine) -> None:
        """Stop the clock, once the device has done what it was told."""
        if engine.device.type == "cuda":
            torch.cuda.synchronize()
        self.seconds.append(time.perf_counter() - self.started)

    @hookimpl
    def reid_target_tested(self, engine: Engine, tested: TargetTest) -> None:
        """Keep what was compared."""
        if self.features:
            query, gallery = tested.query.features, tested.gallery.features
            np.savez(self.features, query=query.cpu(), gallery=gallery.cpu())


def configuration(job: dict[str, Any], folder: str) -> dict[str, Any]:
    """Return the configuration of the job, with what it has of its own."""
    common = {
        "use_gpu": job["use_gpu"],
        "model": {
            "name": job["model"],
            "pretrained": False,
            "load_weights": job.get("weights", ""),
        },
        "data": {
            "root": folder,
            "sources": ["photos"],
            "targets": ["photos"] if job["evaluate"] else [],
            "height": job["height"],
            "width": job["width"],
            "transforms": ["random_flip"],
            "workers": job["workers"],
            "save_dir": folder,
        },
        "train": {
            "batch_size": job["batch"],
            "max_epoch": job["epochs"],
            "seed": job["seed"],
            "optim": "amsgrad",
            "lr": job["lr"],
            "lr_scheduler": "cosine",
            "speed": job["speed"],
            "compile": job["compile"],
        },
        "amsgrad": {"beta2": 0.99},  # as Torchreid's function has it
        "test": {"dist_metric": "cosine", "batch_size": 100},
    }
    own = job.get("config", {})
    return common | {key: {**common.get(key, {}), **section} for key, section in own.items()}


def train(job: dict[str, Any]) -> dict[str, Any]:
    """Train as the command does, and return what it took."""
    photos = Photos(json.loads(Path(job["lists"]).read_text()), job.get("features", ""))
    with tempfile.TemporaryDirectory() as folder, make_plugins(extra=[photos]) as plugins:
        config = load_config(configuration(job, folder), plugins=plugins)
        plugins.hook.reid_configure(config=config)
        engine, plan = prepare(config, plugins)
        record = engine.execute(plan)
        if job.get("weights_to"):
            torch.save({"state_dict": engine.model.state_dict()}, job["weights_to"])
    waited = [epoch["data_seconds"] for epoch in record["training"]]
    peak = torch.cuda.max_memory_allocated() if job["use_gpu"] else peak_memory()
    found = {"seconds": photos.seconds, "waited": waited, "peak": peak, "speed": record["speed"]}
    return found | ({"mAP": record["targets"]["photos"]["mAP"]} if job["evaluate"] else {})


if __name__ == "__main__":
    print(json.dumps(train(json.loads(sys.argv[-1]))))
