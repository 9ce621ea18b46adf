"""Programs that PyTorch runs without the code of their network: what TorchScript and PT2 share."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from reid_plugins_export.network import PREPROCESS, Takes
from reidcore.errors import CheckpointError, UserError


class ProgramBackend:
    """Runs a program of PyTorch's, from any number of threads.

    Args:
        program: takes images, gives features.
        record: what the file says of itself.
        path: the file.
        device: where the program runs.

    Raises:
        CheckpointError: if there is no record, without which nobody knows what the program takes.
    """

    def __init__(
        self,
        program: Callable[[Tensor], Tensor],
        record: Mapping[str, Any],
        path: Path,
        device: str,
    ) -> None:
        if not record:
            raise CheckpointError(
                f"{str(path)!r} does not say what it takes: reidcore did not write it",
                "Export the checkpoint by reidcore, or load the file by PyTorch itself.",
            )
        self._program, self._device = program, torch.device(device)
        self.record = record
        self.feature_dim = int(record["feature_dim"])
        self.takes: Takes = PREPROCESS[record["preprocess"]]
        size = record["preprocessing"]["height"], record["preprocessing"]["width"]
        self.image_size = None if self.takes == "bytes" else size

    def __call__(self, images: Tensor) -> Tensor:
        """Return the features (B, D), float32 on the CPU, of images (B, 3, h, w)."""
        if self.takes == "bytes":
            images = images.movedim(1, -1).to(torch.uint8)
        with torch.inference_mode():
            features = self._program(images.to(self._device).contiguous())
        return features.float().cpu().clone()


def check_usual(name: str, precision: str, threads: int | None) -> None:
    """Refuse what a program of PyTorch's has not: other precisions, and threads of its own.

    Raises:
        UserError: naming what to do instead.
    """
    if precision != "fp32":
        raise UserError(
            f"{name} runs in fp32 alone, and precision={precision!r}",
            "Use backend='openvino' for bf16, or export to ONNX with --int8.",
        )
    if threads is not None:
        raise UserError(
            f"{name} has no threads of its own", f"Call torch.set_num_threads({threads}) instead."
        )


def refuse_int8(name: str, calibration: Tensor | None) -> None:
    """Refuse to quantise for a format that has no INT8."""
    if calibration is not None:
        raise UserError(f"{name} files are written in fp32 alone", "Use --to onnx or openvino.")
