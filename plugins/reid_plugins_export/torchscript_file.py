"""TorchScript: traced, and run by PyTorch or by libtorch in C++."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from reid_plugins_export.formats import Save
from reid_plugins_export.network import FeatureNetwork
from reid_plugins_export.record import KEY, as_text, from_text
from reid_plugins_export.torch_program import ProgramBackend, check_usual, refuse_int8
from reid_plugins_export.tracing import quietly
from reidcore.errors import CheckpointError
from reidcore.inference import ValueReads

_log = logging.getLogger(f"reidcore.{__name__}")

_jit: Any = torch.jit  # untyped, in part


class TorchScriptFormat:
    """Files ending in ``.torchscript``: programs, which PyTorch's interpreter runs."""

    ending = ".torchscript"

    def convert(self, network: FeatureNetwork, calibration: Tensor | None) -> Save:
        """Trace a network; see ``reid_register_export_formats``."""
        refuse_int8("TorchScript", calibration)
        example = network.example(2)
        with torch.no_grad(), ValueReads() as reads:
            network(example)
        if reads.seen:
            _log.warning(
                "The model looks at values, and the file goes the way of one example, whatever "
                "images it is given: compare it on a dataset, --check DATASET"
            )
        # What tracing warns of, constants in place of sizes, the comparison of features finds.
        with torch.no_grad(), quietly():
            program: Any = _jit.trace(network, (example,), check_trace=False)

        def save(path: Path, record: Mapping[str, Any]) -> None:
            with quietly():  # that TorchScript is no longer developed
                _jit.save(program, str(path), _extra_files={KEY: as_text(record)})

        return save

    def open(self, path: Path, device: str, precision: str, threads: int | None) -> ProgramBackend:
        """Open a file for running."""
        check_usual("TorchScript", precision, threads)
        program, record = _loaded(path, device)
        return ProgramBackend(program.eval(), record, path, device)

    def read(self, path: Path) -> dict[str, Any]:
        """Return the record inside a file; empty for one that others wrote."""
        return _loaded(path, "cpu")[1]


def _loaded(path: Path, device: str) -> tuple[Any, dict[str, Any]]:
    extra: dict[str, Any] = {KEY: ""}
    try:
        with quietly():
            program = _jit.load(str(path), map_location=device, _extra_files=extra)
    except (RuntimeError, ValueError) as error:
        reason = str(error).strip().splitlines()[0]
        raise CheckpointError(
            f"{str(path)!r} is damaged or no TorchScript file ({reason})", "Export the model again."
        ) from error
    return program, from_text(extra[KEY], path)
