"""Batch statistics of two processes are those of one, on CUDA."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
import torch

HERE = Path(__file__).parent


@pytest.mark.skipif(not torch.cuda.is_available(), reason="torch synchronises them on CUDA alone")
def test_weights_and_statistics_are_those_of_one_process(torchrun: Any, tmp_path: Path) -> None:
    torchrun(HERE / "shared_gpu.py", tmp_path)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "path", [str(HERE), *sys.path])
        from cases_training import train
        from shared_gpu import exactly
    exactly()
    alone = train("sync_bn", tmp_path / "alone").weights
    first, second = (torch.load(tmp_path / f"{rank}.pt") for rank in range(2))
    for name, weight in alone.items():
        torch.testing.assert_close(first[name], weight.cpu(), atol=1e-5, rtol=0, msg=name)
        torch.testing.assert_close(first[name], second[name], atol=0, rtol=0, msg=name)
