"""Pickles of strangers: tensors come out, nothing runs, and what was left out is named."""

from __future__ import annotations

import argparse
import collections
import os
import pickle
import struct
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from reidcore._serialization import load_safely, not_loaded
from reidcore.errors import CheckpointError
from reidcore.models import load_pretrained_weights


class Settings(dict):  # type: ignore[type-arg]
    """A mapping with attributes, as configuration libraries have."""


class Reduces:
    """Asks for a call when it is loaded."""

    def __init__(self, function: Any, *arguments: Any) -> None:
        self.asked = function, arguments

    def __reduce__(self) -> Any:
        return self.asked


class Fills:
    """Is filled by a method of its own when it is loaded."""

    calls = 0

    def __init__(self) -> None:
        self.x = 1

    def __setstate__(self, state: Any) -> None:
        Fills.calls += 1


def touch(folder: str) -> None:
    (Path(folder) / "RAN").touch()


WEIGHTS = {"weight": torch.ones(2, 3), "bias": torch.zeros(2)}
FOREIGN = [
    argparse.Namespace(lr=0.1, steps=[1, 2]),
    collections.defaultdict(list, {"a": [1]}),
    Settings(a=1, b=Settings(c=2)),
    collections.deque([1, 2]),
    np.arange(3),
    Path("x"),
    nn.Linear(2, 2),
    Fills(),
    nn.Linear,
]


@pytest.mark.parametrize("protocol", [2, 4, 5])
@pytest.mark.parametrize("zipped", [True, False])
@pytest.mark.parametrize("beside", FOREIGN, ids=lambda each: type(each).__name__)
def test_weights_beside_foreign_objects_are_loaded(
    beside: Any, zipped: bool, protocol: int, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    held = {"net": WEIGHTS, "args": beside, "epoch": 3, "rank1": np.float64(0.5)}
    options = {"_use_new_zipfile_serialization": zipped, "pickle_protocol": protocol}
    torch.save(held, tmp_path / "foreign.pth", **options)
    network = nn.Linear(3, 2)
    with caplog.at_level("INFO", logger="reidcore"):
        load_pretrained_weights(network, tmp_path / "foreign.pth")
    assert torch.equal(network.weight, WEIGHTS["weight"])
    loaded = load_safely(tmp_path / "foreign.pth")
    assert (loaded["epoch"], loaded["rank1"]) == (3, 0.5)
    [line] = [each for each in caplog.messages if each.startswith("Not loaded of")]
    assert not_loaded(loaded)[0] in line
    assert Fills.calls == 0


ATTACKS = {
    "call": lambda folder: Reduces(os.system, f"touch {folder}/RAN"),
    "eval": lambda folder: Reduces(eval, f"open({str(folder)!r} + '/RAN', 'w')"),
    "own function": lambda folder: Reduces(touch, str(folder)),
    "nested": lambda folder: [{"a": Reduces(Reduces, touch, str(folder))}],
    "getattr": lambda folder: Reduces(getattr, os, "getcwd"),
}


@pytest.mark.parametrize("protocol", [0, 1, 2, 4])
@pytest.mark.parametrize("zipped", [True, False])
@pytest.mark.parametrize("attack", ATTACKS)
def test_nothing_runs(attack: str, zipped: bool, protocol: int, tmp_path: Path) -> None:
    evil = tmp_path / "evil.pth"
    held = {"state_dict": WEIGHTS, "x": ATTACKS[attack](tmp_path)} if attack != "getattr" else {}
    options = {"_use_new_zipfile_serialization": zipped, "pickle_protocol": protocol}
    torch.save(held, evil, **options)
    try:
        load_safely(evil)
    except CheckpointError as error:
        assert "evil.pth" in str(error)  # noqa: PT017
    assert [file.name for file in tmp_path.iterdir()] == ["evil.pth"]


def raw(code: bytes, path: Path) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("evil/data.pkl", code)
        archive.writestr("evil/version", "3\n")
    return path


def short(text: bytes) -> bytes:
    return pickle.SHORT_BINUNICODE + struct.pack("<B", len(text)) + text


def raw_attacks(folder: Path) -> dict[str, bytes]:
    command = f"touch {folder}/RAN".encode()
    own = f"{__name__}\ntouch\n".encode()
    text = pickle.BINUNICODE + struct.pack("<I", len(command)) + command
    argument = pickle.MARK + text + pickle.TUPLE
    end = pickle.REDUCE + pickle.STOP
    return {
        "INST": pickle.MARK + text + pickle.INST + b"os\nsystem\n" + pickle.STOP,
        "OBJ": pickle.MARK + pickle.GLOBAL + b"os\nsystem\n" + text + pickle.OBJ + pickle.STOP,
        "STACK_GLOBAL": short(b"os") + short(b"system") + pickle.STACK_GLOBAL + argument + end,
        "own INST": pickle.MARK + text + pickle.INST + own + pickle.STOP,
        "BUILD": pickle.GLOBAL
        + b"collections\nOrderedDict\n"
        + pickle.EMPTY_TUPLE
        + pickle.REDUCE
        + pickle.EMPTY_DICT
        + short(b"__setstate__")
        + pickle.GLOBAL
        + own
        + pickle.SETITEM
        + pickle.BUILD
        + text
        + pickle.BUILD
        + pickle.STOP,
        "BUILD of a function": pickle.GLOBAL
        + b"torch._utils\n_rebuild_tensor_v2\n"
        + pickle.NONE
        + pickle.EMPTY_DICT
        + short(b"__defaults__")
        + pickle.EMPTY_TUPLE
        + pickle.SETITEM
        + pickle.TUPLE2
        + pickle.BUILD
        + pickle.STOP,
        "NEWOBJ": pickle.GLOBAL + own + argument + pickle.NEWOBJ + pickle.STOP,
        "EXT1": pickle.EXT1 + b"\x01" + pickle.STOP,
        "call of a result": pickle.GLOBAL + own + argument + pickle.REDUCE + argument + end,
        "call of a list": pickle.EMPTY_LIST + argument + end,
    }


@pytest.mark.parametrize("attack", raw_attacks(Path("x")))
def test_no_operation_runs_anything(attack: str, tmp_path: Path) -> None:
    evil = raw(raw_attacks(tmp_path)[attack], tmp_path / "evil.pth")
    defaults = torch._utils._rebuild_tensor_v2.__defaults__
    try:
        held = load_safely(evil)
    except CheckpointError as error:
        assert "evil.pth" in str(error)  # noqa: PT017
    else:
        assert {*not_loaded(held)} <= {f"{__name__}.touch"}
    assert [file.name for file in tmp_path.iterdir()] == ["evil.pth"]
    assert torch._utils._rebuild_tensor_v2.__defaults__ == defaults


@pytest.mark.parametrize(
    ("held", "told"),
    [
        (nn.Linear(3, 2), r"it is <torch\.nn\.modules\.linear\.Linear, not loaded>\. "),
        ({"a": WEIGHTS, "b": WEIGHTS}, r"'a' \(2 tensors\), 'b' \(2 tensors\)"),
        ({"weight": np.ones(3)}, r"a mapping of 'weight', and objects of numpy\S*_reconstruct"),
    ],
)
def test_a_file_without_a_state_dict_says_what_it_holds(
    held: Any, told: str, tmp_path: Path
) -> None:
    torch.save(held, tmp_path / "other.pth")
    with pytest.raises(CheckpointError, match=rf"other\.pth' holds no model weights: .*{told}"):
        load_pretrained_weights(nn.Linear(3, 2), tmp_path / "other.pth")
