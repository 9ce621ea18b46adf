"""Opening files: what is refused, what others wrote, and checkpoints exported on the way."""

from __future__ import annotations

import json
import logging
import shutil
import zipfile
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, helper
from reid_plugins_export import backends
from reid_plugins_export.backends import open_backend
from reid_plugins_export.description import describe
from reid_plugins_export.export import Options, export_model
from reid_plugins_export.pt2_file import Pt2Format
from reid_plugins_export.record import read_record

from reidcore.errors import CheckpointError, UserError
from reidcore.inference import FeatureExtractor


@pytest.fixture(scope="module")
def exported(checkpoint, plugins, tmp_path_factory):
    """A file that costs little to make."""
    path = tmp_path_factory.mktemp("kept") / "tiny.torchscript"
    return export_model(checkpoint, path, Options("torchscript"), plugins).path


@pytest.fixture
def file(exported, tmp_path):
    """A copy of it, with its hash."""
    shutil.copy(f"{exported}.sha256", tmp_path)
    return Path(shutil.copy(exported, tmp_path))


def foreign(path, inputs=("pixels",), kind=TensorProto.FLOAT, sides=("n", 3, 8, 4), opset=18):
    """Write an ONNX file as others do: no record, average colours as features."""
    given = [helper.make_tensor_value_info(name, kind, list(sides)) for name in inputs]
    nodes = [
        helper.make_node("Cast", [inputs[0]], ["floats"], to=TensorProto.FLOAT),
        helper.make_node("GlobalAveragePool", ["floats"], ["means"]),
        helper.make_node("Flatten", ["means"], ["features"]),
    ]
    given_back = helper.make_tensor_value_info("features", TensorProto.FLOAT, ["n", 3])
    graph = helper.make_graph(nodes, "foreign", given, [given_back])
    imports = [helper.make_opsetid("", opset)]
    onnx.save(helper.make_model(graph, opset_imports=imports, ir_version=9), path)
    return path


def test_a_checkpoint_is_pytorchs(checkpoint, plugins) -> None:
    assert open_backend(None, checkpoint, plugins=plugins) is None
    assert open_backend("torch", checkpoint, plugins=plugins) is None


def test_a_file_that_was_changed_is_refused(file, plugins) -> None:
    with file.open("ab") as opened:
        opened.write(b"more")
    with pytest.raises(CheckpointError, match="not what was exported"):
        open_backend(None, file, plugins=plugins)
    assert describe(file, plugins).is_as_written is False


def test_a_file_without_its_hash_is_run(file, plugins) -> None:
    file.with_name("tiny.torchscript.sha256").unlink()
    assert open_backend(None, file, plugins=plugins).feature_dim == 8
    assert describe(file, plugins).is_as_written is None


def test_a_missing_file_is_told(tmp_path, plugins) -> None:
    with pytest.raises(CheckpointError, match="no file at"):
        open_backend(None, tmp_path / "gone.onnx", plugins=plugins)


@pytest.mark.parametrize("ending", [".onnx", ".torchscript", ".pt2", ".xml"])
def test_a_damaged_file_is_told(ending, tmp_path, plugins) -> None:
    broken = tmp_path / f"broken{ending}"
    broken.write_bytes(b"PK\x03\x04 no")
    with pytest.raises(CheckpointError, match="damaged or no"):
        open_backend(None, broken, plugins=plugins)


def test_a_file_of_another_format_is_told(file, plugins) -> None:
    with pytest.raises(UserError, match=r"no file for backend='onnx', whose files end in \.onnx"):
        open_backend("onnx", file, plugins=plugins)


def test_int8_of_a_checkpoint_needs_images(checkpoint, plugins) -> None:
    with pytest.raises(UserError, match=r"needs images.*--to onnx --int8 DATASET"):
        open_backend("onnx", checkpoint, precision="int8", plugins=plugins)


def test_a_checkpoint_is_exported_once(checkpoint, plugins, tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("REIDCORE_HOME", str(tmp_path))
    images = torch.randn(2, 3, 32, 16, generator=torch.Generator().manual_seed(0))
    first = open_backend("torchscript", checkpoint, plugins=plugins)(images)
    (kept,) = (tmp_path / "exports").rglob("model.torchscript")
    written = kept.stat().st_mtime_ns
    second = open_backend("torchscript", checkpoint, plugins=plugins)(images)
    assert kept.stat().st_mtime_ns == written
    torch.testing.assert_close(first, second)
    kept.write_bytes(b"damaged")
    third = open_backend("torchscript", checkpoint, plugins=plugins)(images)
    torch.testing.assert_close(first, third)


def test_other_options_are_another_file(checkpoint, plugins, tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("REIDCORE_HOME", str(tmp_path))
    for size in (None, (48, 24)):
        open_backend("torchscript", checkpoint, plugins=plugins, image_size=size)
    assert len(list((tmp_path / "exports").rglob("model.torchscript"))) == 2


def test_an_extractor_exports_bare_weights_of_the_model_and_size_that_it_is_told(
    checkpoint, plugins, tmp_path, monkeypatch
) -> None:
    monkeypatch.setenv("REIDCORE_HOME", str(tmp_path))
    bare = tmp_path / "bare.pth"
    torch.save(torch.load(checkpoint, weights_only=True)["state_dict"], bare)
    images = torch.randn(2, 3, 48, 24, generator=torch.Generator().manual_seed(0))
    plain, exported = (
        FeatureExtractor(
            *("tinynet", bare, (48, 24)),
            device="cpu",
            verbose=False,
            plugins=plugins,
            backend=backend,
        )
        for backend in ("torch", "torchscript")
    )
    assert exported.metadata["preprocessing"]["height"] == 48
    torch.testing.assert_close(exported(images), plain(images), atol=1e-5, rtol=1e-5)


def test_a_file_of_others_runs_where_its_images_are_told(tmp_path, plugins) -> None:
    path = foreign(tmp_path / "foreign.onnx")
    backend = open_backend(None, path, plugins=plugins)
    assert (backend.record, backend.feature_dim, backend.image_size) == ({}, 3, (8, 4))
    images = torch.rand(2, 3, 8, 4)
    torch.testing.assert_close(backend(images), images.mean((2, 3)))
    with pytest.raises(UserError, match="pixel_mean"):
        FeatureExtractor(model_path=path, device="cpu", verbose=False, plugins=plugins)


def test_bytes_with_channels_last_are_known_by_type_and_shape(tmp_path, plugins) -> None:
    path = foreign(tmp_path / "bytes.onnx", kind=TensorProto.UINT8, sides=("n", "h", "w", 3))
    backend = open_backend(None, path, plugins=plugins)
    assert (backend.takes, backend.image_size) == ("bytes", None)


@pytest.mark.parametrize(
    ("other", "told"),
    [
        ({"inputs": ("a", "b")}, r"takes 2 inputs \(a, b\)"),
        ({"sides": ("n", 1, 8, 4)}, "no batch of images"),
        ({"sides": (2, 3, 8, 4)}, "no other number of images than 2.*a dynamic batch"),
        ({"sides": ("n", 3, 8, "w")}, "one side is fixed, the other is not"),
        ({"kind": TensorProto.FLOAT16}, "of float16.*inputs of float32"),
        ({"opset": 99}, r"ONNX Runtime [\d.]+ runs \(ONNX Runtime only .*upgrade onnxruntime"),
    ],
)
def test_a_file_that_takes_something_else_is_told(other, told, tmp_path, plugins) -> None:
    path = foreign(tmp_path / "other.onnx", **other)
    with pytest.raises(CheckpointError, match=told):
        open_backend(None, path, plugins=plugins)


def test_weights_are_not_read_from_outside_of_a_files_folder(tmp_path, plugins) -> None:
    (tmp_path / "secret.bin").write_bytes(bytes(12))
    (tmp_path / "model").mkdir()
    path = foreign(tmp_path / "model" / "a.onnx")
    model = onnx.load(path)
    outside = model.graph.initializer.add(
        name="w", dims=[3], data_type=TensorProto.FLOAT, data_location=TensorProto.EXTERNAL
    )
    outside.external_data.add(key="location", value="../secret.bin")
    model.graph.node[-1].output[0] = "flat"
    model.graph.node.append(helper.make_node("Add", ["flat", "w"], ["features"]))
    onnx.save(model, path)
    with pytest.raises(CheckpointError, match="External data path validation failed"):
        open_backend(None, path, plugins=plugins)


@pytest.mark.parametrize("precision", ["bf16", "fp16"])
def test_a_precision_that_a_format_has_not_is_told(precision, file, tmp_path, plugins) -> None:
    with pytest.raises(UserError, match="openvino"):
        open_backend(None, file, precision=precision, plugins=plugins)
    with pytest.raises(UserError, match="openvino"):
        open_backend(None, foreign(tmp_path / "a.onnx"), precision=precision, plugins=plugins)


class Rough:
    """A format whose files give features that 16 bits turn by an angle."""

    ending, turn = ".rough", 0.0
    feature_dim, image_size, takes = 2, None, "bytes"

    def __init__(self, held: str = "fp32") -> None:
        self.record = {"precision": held, "preprocessing": {"height": 8, "width": 4}}

    def open(self, path, device, precision, threads):
        turn = self.turn if precision == "bf16" else 0.0
        opened = Rough(self.record["precision"])
        opened.run = lambda images: torch.tensor([[np.cos(turn), np.sin(turn)]] * len(images))
        return opened

    def __call__(self, images):
        assert (images.dtype, images.shape) == (torch.uint8, (4, 3, 8, 4))
        return self.run(images)


@pytest.fixture
def rough(tmp_path, monkeypatch):
    """Let files that end in ``.rough`` be of that format; open one whose features turn so far."""

    def opened(turn=0.0, held="fp32", precision="bf16"):
        form = Rough(held)
        form.turn = turn
        monkeypatch.setattr(backends, "format_of", lambda path, plugins: form)
        monkeypatch.setattr(backends, "required_format", lambda path, plugins: form)
        (tmp_path / "a.rough").touch()
        return open_backend(None, tmp_path / "a.rough", precision=precision)

    return opened


def test_in_fewer_bits_the_cosine_to_fp32_is_told_and_refused(rough, caplog) -> None:
    caplog.set_level(logging.INFO, "reidcore")
    assert rough(turn=0.02).feature_dim == 2
    assert (
        "precision=bf16: the cosine of features to those of fp32 is at least 0.9998" in caplog.text
    )
    with pytest.raises(UserError, match=r"0\.87758, and less than 0\.98"):
        rough(turn=0.5)


def test_a_file_is_run_in_the_bits_that_it_was_written_in(rough, caplog) -> None:
    with pytest.raises(UserError, match="is quantised, and precision='bf16'"):
        rough(held="int8")
    with pytest.raises(UserError, match=r"computes in fp32.*--int8 DATASET"):
        rough(precision="int8")
    rough(held="int8", precision="int8")
    assert not caplog.text
    rough(held=None, precision="int8")
    assert "does not say whether it is quantised" in caplog.text


def test_tensorrt_says_what_it_needs(tmp_path, plugins) -> None:
    with pytest.raises(UserError, match="pip install onnxruntime-gpu tensorrt"):
        open_backend("tensorrt", foreign(tmp_path / "a.onnx"), device="cuda", plugins=plugins)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a/data/aotinductor/model/model.so", b"\x7fELF"),
        ("a/data/constants/custom_obj_0", b"\x80\x02."),
        ("a/data/sample_inputs/model.pt", b"\x80\x02cposix\nsystem\n."),
        ("a/data/weights/serialized_state_dict.pt", b"\x80\x02."),
        (
            "a/data/weights/model_weights_config.json",
            json.dumps({"config": {"w": {"path_name": "weight_0", "use_pickle": True}}}).encode(),
        ),
        (
            "a/data/constants/model_constants_config.json",
            json.dumps({"config": {"w": {"path_name": "opaque_obj_0", "use_pickle": False}}}),
        ),
    ],
)
def test_a_pt2_file_with_a_part_that_may_run_code_is_refused(name, content, tmp_path) -> None:
    path = tmp_path / "evil.pt2"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a/archive_format", "pt2")
        archive.writestr(name, content)
    with pytest.raises(CheckpointError, match="may run code"):
        Pt2Format().open(path, "cpu", "fp32", None)


@pytest.mark.parametrize(
    ("content", "packed", "told"),
    [
        (b" " * 100_000, zipfile.ZIP_DEFLATED, "unpacked it is larger than it is"),
        (b"[" * 100_000, zipfile.ZIP_STORED, "damaged or no PT2 file"),
        (b"[]", zipfile.ZIP_LZMA, "damaged or no PT2 file"),
    ],
)
def test_a_pt2_file_that_would_fill_the_memory_is_refused(content, packed, told, tmp_path) -> None:
    path = tmp_path / "bomb.pt2"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a/archive_format", "pt2")
        archive.writestr("a/models/model.json", content, packed)
    with pytest.raises(CheckpointError, match=told):
        Pt2Format().open(path, "cpu", "fp32", None)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("{", "record in .* is damaged"),
        ("[]", "is none"),
        ('{"version": 99}', "version 99.*pip install --upgrade"),
        ('{"version": 1, "preprocessing": {"height": -3}}', "height"),
        ('{"version": 1, "model": {"name": "a"}}', "has no 'preprocessing'"),
    ],
)
def test_a_record_that_is_none_is_told(text, told, tmp_path, plugins) -> None:
    path = foreign(tmp_path / "a.onnx")
    model = onnx.load(path)
    helper.set_model_props(model, {"reidcore": text})
    onnx.save(model, path)
    with pytest.raises(CheckpointError, match=told):
        read_record(path, plugins)
