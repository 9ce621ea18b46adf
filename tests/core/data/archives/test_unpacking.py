from __future__ import annotations

import io
import stat
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from reidcore.data.archives import unpacking
from reidcore.data.archives.unpacking import contents_of, unpack
from reidcore.errors import DataError

Change = Callable[[tarfile.TarInfo], object]


def zipped(path: Path, entries: dict[str, bytes], mode: int = 0) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries.items():
            info = zipfile.ZipInfo(name)
            info.compress_type = zipfile.ZIP_DEFLATED
            info.external_attr = mode << 16
            archive.writestr(info, content)
    return path


def tarred(path: Path, entries: dict[str, bytes], kind: bytes = tarfile.REGTYPE) -> Path:
    with tarfile.open(path, "w:gz") as archive:
        for name, content in entries.items():
            member = tarfile.TarInfo(name)
            member.type, member.linkname = kind, "target"
            member.size = len(content) if kind == tarfile.REGTYPE else 0
            archive.addfile(member, io.BytesIO(content))
    return path


@pytest.mark.parametrize("pack", [zipped, tarred])
def test_what_an_archive_holds_is_known_before_it_is_unpacked(
    tmp_path: Path, pack: Callable[..., Path]
) -> None:
    archive = pack(tmp_path / "a.bin", {"set/a/1.jpg": b"12345", "set/2.jpg": b"678", "x": b""})
    assert contents_of(archive) == (frozenset({"set", "x"}), 3, 8)
    written: list[int] = []
    unpack(archive, tmp_path / "out", written.append)
    assert (tmp_path / "out/set/a/1.jpg").read_bytes() == b"12345"
    assert sum(written) == 8
    assert sorted(path.name for path in (tmp_path / "out").rglob("*") if path.is_file()) == [
        "1.jpg",
        "2.jpg",
        "x",
    ]


@pytest.mark.parametrize("name", ["/etc/x", "../x", "a/../../x", "..\\x", "C:\\x", "C:/x"])
@pytest.mark.parametrize("pack", [zipped, tarred])
def test_names_that_lead_out_are_refused(
    tmp_path: Path, pack: Callable[..., Path], name: str
) -> None:
    archive = pack(tmp_path / "a.bin", {"good.jpg": b"1", name: b"2"})
    with pytest.raises(DataError, match="outside the folder"):
        unpack(archive, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_links_are_refused(tmp_path: Path) -> None:
    link = zipped(tmp_path / "a.zip", {"link": b"/etc/passwd"}, stat.S_IFLNK | 0o777)
    with pytest.raises(DataError, match="'link' is a link"):
        unpack(link, tmp_path / "out")
    for kind in (tarfile.SYMTYPE, tarfile.LNKTYPE):
        with pytest.raises(DataError, match="'link' is a link"):
            unpack(tarred(tmp_path / "a.tgz", {"link": b""}, kind), tmp_path / "out")
    with pytest.raises(DataError, match="'pipe' is no file"):
        unpack(tarred(tmp_path / "a.tgz", {"pipe": b""}, tarfile.FIFOTYPE), tmp_path / "out")


@pytest.mark.parametrize("pack", [zipped, tarred])
def test_an_archive_that_grows_beyond_measure_is_told_by_its_size(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pack: Callable[..., Path]
) -> None:
    monkeypatch.setattr(unpacking, "_SMALL", 1000)
    archive = pack(tmp_path / "bomb.bin", {"zeros": b"\0" * 3_000_000})
    with pytest.raises(DataError, match=r"would unpack to 3,000,000"):
        unpack(archive, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_full_disk_is_told_before_anything_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive = zipped(tmp_path / "a.zip", {"a.jpg": b"12345"})
    monkeypatch.setattr("shutil.disk_usage", lambda path: SimpleNamespace(free=3))
    with pytest.raises(DataError, match="unpacks to 5 bytes, and 3 are free"):
        unpack(archive, tmp_path / "out")


@pytest.mark.parametrize("pack", [zipped, tarred])
def test_half_an_archive_is_told(tmp_path: Path, pack: Callable[..., Path]) -> None:
    archive = pack(tmp_path / "a.bin", {"a.jpg": bytes(range(256)) * 40})
    archive.write_bytes(archive.read_bytes()[:-60])
    with pytest.raises(DataError, match=r"cannot unpack a\.bin"):
        unpack(archive, tmp_path / "out")


def test_what_is_no_archive_is_told_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "a.zip").write_bytes(b"hello")
    with pytest.raises(
        DataError, match=r"cannot unpack a\.zip: .* neither a zip nor a tar"
    ) as told:
        contents_of(tmp_path / "a.zip")
    assert "\n" not in str(told.value)
