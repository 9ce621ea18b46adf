"""INT8: smaller, near enough, checked, and refused where it is neither."""

from __future__ import annotations

import logging

import onnx
import pytest
import torch
from reid_plugins_export import int8
from reid_plugins_export.backends import open_backend
from reid_plugins_export.dataset import DatasetChoice
from reid_plugins_export.export import Options, export_model
from reid_plugins_export.network import FeatureNetwork
from reid_plugins_export.onnx_conversion import as_onnx
from reid_plugins_export.record import read_record

from reidcore.errors import UserError
from reidcore.testing import TinyNet


@pytest.fixture(scope="module")
def exported(checkpoint, plugins, root, tmp_path_factory):
    path = tmp_path_factory.mktemp("int8") / "small.onnx"
    asked = Options("onnx", int8=DatasetChoice("tiny", root), allowed_loss=100)
    return export_model(checkpoint, path, asked, plugins)


def test_weights_are_of_eight_bits(exported) -> None:
    model = onnx.load(exported.path)
    kinds = {each.name: each.data_type for each in model.graph.initializer}
    of_weights = {
        kind for name, kind in kinds.items() if "quantized" in name and "bias" not in name
    }
    assert onnx.TensorProto.INT8 in of_weights
    assert model.graph.input[0].type.tensor_type.shape.dim[0].dim_param


def test_the_record_says_int8_and_what_it_costs(exported, plugins) -> None:
    record = read_record(exported.path, plugins)
    assert record["precision"] == "int8"
    assert record["check"]["dataset"] == "tiny"
    assert record["parity"]["cosine"] > 0.98


def test_it_runs_as_int8_and_under_the_usual_precision(exported, plugins) -> None:
    images = torch.randn(3, 3, 32, 16, generator=torch.Generator().manual_seed(2))
    ways = [
        open_backend(None, exported.path, precision=precision, plugins=plugins)(images)
        for precision in ("fp32", "int8")
    ]
    torch.testing.assert_close(*ways)


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(1)
    return FeatureNetwork(TinyNet(2).eval(), (32, 16), [0.5] * 3, [0.25] * 3)


@pytest.fixture(scope="module")
def graph(network):
    return as_onnx(network)


def test_too_few_images_are_refused(network) -> None:
    with pytest.raises(UserError, match="31 images are too few"):
        int8.quantised(onnx.ModelProto(), torch.zeros(31, 3, 32, 16))


def test_less_is_quantised_where_everything_moves_the_features(graph, monkeypatch, caplog) -> None:
    tried = []

    def near_at_the_second(plain, small, images, operators) -> None:
        tried.append(operators)
        model = onnx.load(plain)
        if len(tried) == 1:
            model.graph.initializer[0].raw_data = model.graph.initializer[0].raw_data[::-1]
        onnx.save(model, small)

    monkeypatch.setattr(int8, "_quantise", near_at_the_second)
    images = torch.randn(40, 3, 32, 16, generator=torch.Generator().manual_seed(0))
    with caplog.at_level(logging.INFO, "reidcore"):
        int8.quantised(graph, images)
    assert tried == [None, ["Conv", "Gemm", "MatMul"]]
    assert "convolutions and matrix products: the cosine to fp32 is at least 1.0000" in caplog.text


def test_features_of_another_kind_are_refused(graph, monkeypatch) -> None:
    monkeypatch.setattr(int8, "_LEAST_COSINE", 1.1)
    monkeypatch.setattr(int8, "_ATTEMPTS", int8._ATTEMPTS[:1])
    images = torch.randn(40, 3, 32, 16, generator=torch.Generator().manual_seed(0))
    with pytest.raises(UserError, match=r"INT8 gives other features.*at least 1\.1"):
        int8.quantised(graph, images)


def test_any_number_of_images_will_do_and_ort_is_quiet_meanwhile(graph, capfd) -> None:
    before = list(logging.getLogger().handlers)
    images = torch.randn(37, 3, 32, 16, generator=torch.Generator().manual_seed(3))
    assert int8.quantised(graph, images).graph.node
    assert capfd.readouterr().out == ""
    assert logging.getLogger().handlers == before
