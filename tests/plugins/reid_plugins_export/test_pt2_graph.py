"""A graph in a PT2 file computes with tensors, and nothing in it is run as Python."""

from __future__ import annotations

import json
import zipfile

import pytest
from reid_plugins_export.pt2_file import Pt2Format
from reid_plugins_export.pt2_graph import asks_to_run

from reidcore.errors import CheckpointError

SIZE = "Mul(Integer(3), Symbol('s14', positive=True, integer=True))"


@pytest.mark.parametrize(
    "inert",
    [
        {"target": "torch.ops.aten.conv2d.default"},
        {"target": "_operator.floordiv", "name": "b_model_norm_running_mean"},
        {"parameter_name": "model.conv.weight"},
        {"as_expr": {"expr_str": SIZE}},
        {"as_expr": {"expr_str": "s0 // 2 + u3"}},
        {"guards_code": ["Eq(Mod(s0, 2), 0)"]},
        {"in_spec": '[1, {"type": "builtins.tuple", "children_spec": [{"type": null}]}]'},
        {"stack_trace": 'File "a.py", line 3: import os'},
    ],
)
def test_what_our_exports_have_is_inert(inert) -> None:
    assert asks_to_run(json.dumps(inert)) is None


@pytest.mark.parametrize(
    "running",
    [
        {"target": "torch.os.system"},
        {"target": "torch.hub.load"},
        {"as_operator": "torch.ops.load_library"},
        {"target": "_operator.methodcaller"},
        {"expr_str": "__import__('os').system('true')"},
        {"expr_str": "eval(chr(49))"},
        {"expr_str": "Mul('__import__(1)')"},
        {"expr_str": "Symbol('s0 + 1')"},
        {"expr_str": "s0.func"},
        {"expr_str": "(lambda: 1)()"},
        {"expr_str": "Mul(s0"},
        {"guards_code": ["s0 == 1", "print(s0)"]},
        {"name": "images, x=print(1)"},
        {"tensor_values": {"a\nprint(1)": {}}},
        {"in_spec": '[1, {"type": "builtins.tuple", "children_spec": [{"type": "x.Y"}]}]'},
    ],
)
def test_what_would_be_run_is_told(running) -> None:
    assert asks_to_run(json.dumps({"graph": [running]}))


def test_a_file_with_such_a_graph_is_refused(tmp_path) -> None:
    path = tmp_path / "evil.pt2"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a/archive_format", "pt2")
        archive.writestr("a/models/model.json", json.dumps({"target": "torch.os.system"}))
    with pytest.raises(CheckpointError, match=r"target 'torch.os.system'.* may run code"):
        Pt2Format().open(path, "cpu", "fp32", None)
