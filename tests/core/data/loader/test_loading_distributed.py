from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch.distributed as dist
import torch.multiprocessing as mp

from reidcore.data.dataset import ImageDataset
from reidcore.data.folders import from_folders
from reidcore.data.loader.batch_sampler import FileOrder
from reidcore.data.loader.loader import Loading, loader_for_testing, loader_for_training


def _rank(rank: int, folder: Path, out: Path) -> None:
    dist.init_process_group("gloo", f"file://{out}/meeting", rank=rank, world_size=2)
    seen = _names(folder)
    (out / f"{rank}.json").write_text(json.dumps(seen))
    dist.destroy_process_group()


def _names(folder: Path) -> dict[str, list[list[str]]]:
    dataset = ImageDataset(*from_folders(folder), transform=lambda image: 0, verbose=False)
    train = loader_for_training(dataset, FileOrder(len(dataset)), 4, Loading())
    test = loader_for_testing(dataset, 4, Loading())
    return {
        "train": [batch["impath"] for batch in train],
        "test": [batch["impath"] for batch in test],
    }


def test_processes_share_training_and_repeat_testing(make_tree: Any, tmp_path: Path) -> None:
    folder = make_tree(train={1: 5, 2: 5}, test={3: 2})
    mp.start_processes(_rank, args=(folder, tmp_path), nprocs=2, start_method="fork")
    first, second = (json.loads((tmp_path / f"{rank}.json").read_text()) for rank in range(2))
    alone = _names(folder)
    assert [a + b for a, b in zip(first["train"], second["train"], strict=True)] == alone["train"]
    assert first["test"] == second["test"] == alone["test"]
