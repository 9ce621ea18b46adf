"""One training by Torchreid's own engine: a child process of ``train.py`` and ``recipes.py``.

It imports nothing of reidcore, so its Python may be one with Torchreid alone. The job comes as JSON
in the last argument; the last line of the output is what was found, as JSON.
"""

from __future__ import annotations

import importlib.util
import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import torch
from memory import peak_memory


class TimedLoader:
    """Torchreid's loader, with the seconds that each epoch waited for it."""

    def __init__(self, loader: Any) -> None:
        self.loader = loader
        self.waited: list[float] = []

    def __len__(self) -> int:
        return len(self.loader)

    def __iter__(self) -> Iterator[Any]:
        waited, batches = 0.0, iter(self.loader)
        while True:
            started = time.perf_counter()
            batch = next(batches, None)
            waited += time.perf_counter() - started
            if batch is None:
                break
            yield batch
        self.waited.append(waited)


def build(job: dict[str, Any]) -> Any:
    """Return Torchreid's engine, with the data, the model and the schedule of the job."""
    if importlib.util.find_spec("gdown") is None:  # it is there to download weights alone
        sys.modules["gdown"] = ModuleType("gdown")
    import torchreid

    lists = json.loads(Path(job["lists"]).read_text())

    class Photos(torchreid.data.ImageDataset):  # type: ignore[misc]
        def __init__(self, root: str = "", **options: Any) -> None:
            parts = ([tuple(each) for each in lists[part]] for part in lists)
            super().__init__(*parts, **options)

    torchreid.data.register_image_dataset("photos", Photos)
    torch.manual_seed(job["seed"])
    loss, instances = job.get("loss", "softmax"), job.get("instances", 0)
    datamanager = torchreid.data.ImageDataManager(
        sources="photos",
        height=job["height"],
        width=job["width"],
        transforms=["random_flip"],
        batch_size_train=job["batch"],
        batch_size_test=100,
        workers=job["workers"],
        use_gpu=job["use_gpu"],
        train_sampler="RandomIdentitySampler" if instances else "RandomSampler",
        num_instances=instances,
    )
    classes = datamanager.num_train_pids
    model = torchreid.models.build_model(job["model"], classes, loss=loss, pretrained=False)
    if job.get("weights"):
        torchreid.utils.load_pretrained_weights(model, job["weights"])
    if job["use_gpu"]:
        model = model.cuda()
    optimizer = torchreid.optim.build_optimizer(model, optim="amsgrad", lr=job["lr"])
    schedule = torchreid.optim.build_lr_scheduler(
        optimizer, lr_scheduler="cosine", max_epoch=job["epochs"]
    )
    named = {"softmax": "ImageSoftmaxEngine", "triplet": "ImageTripletEngine"}[loss]
    engine = getattr(torchreid.engine, named)
    return engine(datamanager, model, optimizer, scheduler=schedule, use_gpu=job["use_gpu"])


def train(job: dict[str, Any]) -> dict[str, Any]:
    """Train as Torchreid's ``run`` does, an epoch at a time, and return what it took."""
    engine = build(job)
    engine.train_loader = loader = TimedLoader(engine.train_loader)
    engine.max_epoch = job["epochs"]
    seconds = []
    for engine.epoch in range(job["epochs"]):
        started = time.perf_counter()
        engine.train(print_freq=20)
        if job["use_gpu"]:
            torch.cuda.synchronize()
        seconds.append(time.perf_counter() - started)
    peak = torch.cuda.max_memory_allocated() if job["use_gpu"] else peak_memory()
    found = {"seconds": seconds, "waited": loader.waited, "peak": peak}
    if job.get("features"):
        keep_features(engine, job["features"])
    return found | ({"mAP": test(engine)} if job["evaluate"] else {})


def keep_features(engine: Any, file: str) -> None:
    """Write the features of query and gallery, in the order of the lists."""
    engine.set_model_mode("eval")
    found = {}
    for part, loader in engine.test_loader["photos"].items():
        batches = [engine.parse_data_for_eval(batch)[0] for batch in loader]
        images = (batch.cuda() if engine.use_gpu else batch for batch in batches)
        with torch.no_grad():
            features = [engine.extract_features(batch).cpu() for batch in images]
        found[part] = torch.cat(features).numpy()
    np.savez(file, **found)


def test(engine: Any) -> float:
    """Return the mAP on the target."""
    engine.set_model_mode("eval")
    loaders = engine.test_loader["photos"]
    _, mean = engine._evaluate(
        dataset_name="photos",
        query_loader=loaders["query"],
        gallery_loader=loaders["gallery"],
        dist_metric="cosine",
    )
    return float(mean)


if __name__ == "__main__":
    job = json.loads(sys.argv[-1])
    if job.get("peer"):
        sys.path.insert(0, str(Path(job["peer"]).resolve()))
    found = train(job)
    print(json.dumps(found))
