from __future__ import annotations

import io
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from reidcore.data.archives.download import download_archive, fetch, unpack
from reidcore.errors import DataError

Pack = Callable[[Path, str], Path]


def _zip(path: Path, name: str) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(name, "inside")
    return path


def _tar(path: Path, name: str) -> Path:
    with tarfile.open(path, "w:gz") as archive:
        member = tarfile.TarInfo(name)
        member.size = 6
        archive.addfile(member, io.BytesIO(b"inside"))
    return path


@pytest.mark.parametrize("pack", [_zip, _tar])
def test_an_archive_is_unpacked(tmp_path: Path, pack: Pack) -> None:
    unpack(pack(tmp_path / "a.bin", "train/x.jpg"), tmp_path / "set")
    assert (tmp_path / "set/train/x.jpg").read_text() == "inside"


@pytest.mark.parametrize("name", ["../escaped", "a/../../escaped"])
@pytest.mark.parametrize("pack", [_zip, _tar])
def test_an_archive_that_would_write_elsewhere_is_refused(
    tmp_path: Path, pack: Pack, name: str
) -> None:
    with pytest.raises(DataError, match="cannot unpack"):
        unpack(pack(tmp_path / "a.bin", name), tmp_path / "set")
    assert not (tmp_path / "escaped").exists()


def test_absolute_names_are_refused(tmp_path: Path) -> None:
    outside = tmp_path / "outside.txt"
    for archive in (_zip(tmp_path / "a.zip", str(outside)), _tar(tmp_path / "a.tgz", str(outside))):
        with pytest.raises(DataError, match="outside the folder"):
            unpack(archive, tmp_path / "set")
    assert not outside.exists()


def test_a_damaged_archive_is_told(tmp_path: Path) -> None:
    (tmp_path / "a.zip").write_bytes(b"not an archive")
    with pytest.raises(DataError, match=r"cannot unpack a\.zip"):
        unpack(tmp_path / "a.zip", tmp_path / "set")


@pytest.mark.parametrize("url", [None, "http://example.org/set.zip", "file:///etc/passwd"])
def test_only_https_is_fetched(tmp_path: Path, url: str | None) -> None:
    with pytest.raises(DataError, match="no https address"):
        download_archive("Shop", str(tmp_path / "shop"), url)
    assert not (tmp_path / "shop").exists()


def test_what_exists_is_left_alone(tmp_path: Path) -> None:
    download_archive("Shop", str(tmp_path), None)


def test_an_address_that_leads_away_from_https_is_refused(tmp_path: Path, host: Any) -> None:
    host.files["a.zip"] = _zip(tmp_path / "served.zip", "train/x.jpg").read_bytes()
    fetch("people", f"{host.address}/to:{host.address}/a.zip", tmp_path / "a.zip")
    assert (tmp_path / "a.zip").read_bytes() == host.files["a.zip"]
    with pytest.raises(DataError, match="https"):
        fetch("people", f"{host.address}/to:http://plain.test/a.zip", tmp_path / "b.zip")
    assert not (tmp_path / "b.zip").exists()
