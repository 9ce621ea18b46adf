"""Synchronised batch normalisation of two processes against one process with the whole batch.

    python benchmarks/sync_bn.py --device cuda

Both take the same steps on the same global batches, in float32 without TF32; printed is the largest
difference between their weights and batch statistics, which is to be 1e-5 or less. The processes
share one GPU, so they talk by gloo: NCCL refuses two on one device. Torch has no SyncBN on the CPU:
``--device cpu`` shows that the script runs, with layers that use their running statistics.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

import torch
import torch.distributed as dist
import torch.multiprocessing as mp
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from reidcore.engine.replicas import with_sync_bn
from reidcore.models import build_model

WORLD, STEPS, BATCH, CLASSES = 2, 5, 16, 8
LIMIT = 1e-5


def train(model: nn.Module, device: torch.device, rank: int, world: int) -> None:
    """Take the steps on this process's share of each batch."""
    torch.manual_seed(1)  # the global batches
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
    for _ in range(STEPS):
        images, pids = torch.randn(BATCH, 3, 64, 32), torch.randint(CLASSES, (BATCH,))
        share = slice(rank * BATCH // world, (rank + 1) * BATCH // world)
        logits = model(images[share].to(device))
        nn.functional.cross_entropy(logits, pids[share].to(device)).backward()
        optimizer.step()
        optimizer.zero_grad()


def network(device: torch.device) -> nn.Module:
    """Return the same network in every process."""
    torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = False
    torch.manual_seed(0)
    model = build_model("osnet_x0_25", CLASSES, pretrained=False).to(device)
    model.train()
    return model


def still(model: nn.Module) -> None:
    """Let batch normalisation use what it has, on devices without SyncBN."""
    for layer in model.modules():
        if isinstance(layer, nn.modules.batchnorm._BatchNorm):
            layer.eval()


def process(rank: int, folder: str, name: str) -> None:
    """Be one of the processes."""
    dist.init_process_group("gloo", f"file://{folder}/store", rank=rank, world_size=WORLD)
    device = torch.device(name)
    model = network(device)
    if device.type == "cuda":
        model = with_sync_bn(model, device)
    else:
        still(model)
    train(DistributedDataParallel(model), device, rank, WORLD)
    if rank == 0:
        torch.save({k: v.cpu() for k, v in model.state_dict().items()}, Path(folder, "two.pt"))
    dist.barrier()
    dist.destroy_process_group()


def farthest(model: nn.Module, others: dict[str, Tensor]) -> float:
    """Return the largest difference between a model's numbers and others of the same names."""
    numbers = model.state_dict().items()
    return max(float((value.cpu() - others[key].cpu()).abs().max()) for key, value in numbers)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cuda")
    name = parser.parse_args().device
    device = torch.device(name)
    one = network(device)
    if name == "cpu":
        still(one)
        print("SyncBN: not measured (torch has none on the CPU); running statistics instead")
    before = {key: value.clone() for key, value in one.state_dict().items()}
    train(one, device, 0, 1)
    moved = farthest(one, before)
    with tempfile.TemporaryDirectory() as folder:
        mp.spawn(process, (folder, name), nprocs=WORLD)
        two = torch.load(Path(folder, "two.pt"), weights_only=True)
    apart = farthest(one, two)
    print(
        f"largest difference after {STEPS} steps, in which numbers moved by up to {moved:.1e}: "
        f"{apart:.1e}; at most {LIMIT:.0e} is asked for"
    )
    sys.exit(apart > LIMIT)


if __name__ == "__main__":
    main()
