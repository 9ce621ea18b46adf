"""What each of several processes runs that share the GPUs of a machine, were it but one.

Usage: ``torchrun --nproc-per-node=2 shared_gpu.py OUT``
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import torch
import torch.distributed as dist
from cases_training import train


def exactly() -> None:
    """Let convolutions be computed in float32, and alike every time."""
    torch.backends.cudnn.allow_tf32 = False
    torch.backends.cudnn.deterministic = True


def main(out: Path) -> None:
    """Train with synchronised batch normalisation; NCCL would want a GPU for each process."""
    torch.cuda.set_device(int(os.environ["LOCAL_RANK"]) % torch.cuda.device_count())
    dist.init_process_group("gloo")
    exactly()
    trained = train("sync_bn", out)
    torch.save(
        {name: weight.cpu() for name, weight in trained.weights.items()},
        out / f"{dist.get_rank()}.pt",
    )
    dist.destroy_process_group()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
