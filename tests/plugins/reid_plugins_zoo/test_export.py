"""Networks whose forward looks at sizes keep any number of images when they are exported."""

from __future__ import annotations

import pytest
import torch

from reidcore.models import build_model


@pytest.fixture(scope="module")
def hacnn():
    torch.manual_seed(0)
    return build_model("hacnn", 3, pretrained=False).eval().requires_grad_(False)


def images(count):
    return torch.randn(count, 3, 160, 64, generator=torch.Generator().manual_seed(count))


def test_a_traced_hacnn_takes_any_number_of_images(hacnn):
    traced = torch.jit.trace(hacnn, (images(1),))
    torch.testing.assert_close(traced(images(3)), hacnn(images(3)))


def test_hacnn_becomes_an_onnx_file(hacnn, tmp_path):
    onnx = pytest.importorskip("onnx")
    file = str(tmp_path / "hacnn.onnx")
    axes = {"images": {0: "batch"}}
    torch.onnx.export(
        hacnn, (images(1),), file, dynamo=False, input_names=["images"], dynamic_axes=axes
    )
    (described,) = onnx.load(file).graph.input
    assert described.type.tensor_type.shape.dim[0].dim_param == "batch"
