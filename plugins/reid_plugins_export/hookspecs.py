"""The hooks that this package publishes, for other plugins to implement."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from reidcore import hookspec

if TYPE_CHECKING:
    from reidcore.inference import CheckpointMetadata
    from reidcore.registry import Registrar


@hookspec
def reid_register_export_formats(registry: Registrar) -> None:
    """Register formats of exported models: ``target()`` makes one.

    ``reidcore export --to NAME`` writes a format, and ``FeatureExtractor(backend=NAME)`` runs it. A
    format has these attributes and methods; one that only runs files of others has no ``convert``:

    * ``ending``: of the files that it writes, such as ``".onnx"``.
    * ``convert(network, calibration)``: converts a `FeatureNetwork`, called with
      ``network.example(count)``, for any number of images, and returns a function
      ``save(path, record)``. ``calibration``, images as the network takes them, asks for INT8.
    * ``open(path, device, precision, threads)``: a `Backend`.
    * ``read(path)``: the record that ``save`` was given; ``{}`` if there is none.

    When: a format is asked for by its name, or a file by its ending. Stop rule: none.
    Stability: provisional.

    Args:
        registry: ``registry.add("onnx", "my_package.onnx:OnnxFormat", aliases=[".onnx"])``; an
            alias that begins with a dot is an ending by which files are known as the format's.
    """


@hookspec
def reid_export_metadata(metadata: CheckpointMetadata) -> dict[str, Any] | None:
    """Give what an exported file says of its model beyond the usual.

    When: once for each exported file, before it is written. Stop rule: none, every plugin is asked.
    Stability: provisional.

    Args:
        metadata: of the checkpoint; its ``hooks`` hold what plugins kept there.

    Returns:
        Plain values, by keys that the record does not have yet; or None.
    """
