"""Archives that are damaged, or made to do harm, are told of by each reader of them."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from reid_plugins_report.evidence import read_evidence
from reid_plugins_runs.feature_files.formats import read_columns
from reid_plugins_runs.per_query import read_per_query

from reidcore.errors import DataError


def whole() -> bytes:
    content = io.BytesIO()
    numbers = np.random.default_rng(0).integers(0, 256, 4000, dtype=np.uint8)
    np.savez_compressed(content, **{"facts": numbers, "a/pid": numbers})
    return content.getvalue()


def with_bytes(local: int, central: int, value: int) -> bytes:
    """Set a byte at a place of all headers: before each member, and in the list at the end."""
    content = bytearray(whole())
    for mark, place in ((b"PK\3\4", local), (b"PK\1\2", central)):
        at = content.find(mark)
        while at >= 0:
            content[at + place] = value
            at = content.find(mark, at + 4)
    return bytes(content)


def broken_stream() -> bytes:
    content = bytearray(whole())
    content[60:1500] = bytes(each ^ 0x5A for each in content[60:1500])
    return bytes(content)


def claims_too_much() -> bytes:
    """An array of some kilobytes whose header speaks of petabytes."""
    member, content = io.BytesIO(), io.BytesIO()
    header = {"descr": "<f8", "fortran_order": False, "shape": (10**15,)}
    np.lib.format.write_array_header_1_0(member, header)
    member.write(b"\0" * 4096)
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("facts.npy", member.getvalue())
    return content.getvalue()


@pytest.mark.parametrize("read", [read_per_query, read_columns, read_evidence])
@pytest.mark.parametrize(
    "content",
    [
        pytest.param(with_bytes(6, 8, 1), id="encrypted"),
        pytest.param(with_bytes(8, 10, 99), id="packed in an unknown way"),
        pytest.param(broken_stream(), id="a broken stream"),
        pytest.param(claims_too_much(), id="too much"),
    ],
)
def test_archives_of_any_kind_are_told_of(
    read: Callable[[Path], object], content: bytes, tmp_path
) -> None:
    path = tmp_path / "report.npz"
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"report\.npz'"):
        read(path)
