"""Archives: downloaded, unpacked inside their own folder only, and told apart from bombs."""

from __future__ import annotations

import hashlib
import io
import stat
import tarfile
import zipfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from reid_plugins_inspect import archives
from reid_plugins_inspect.archives import (
    contents_of,
    download_archive,
    fetch,
    prepare_dataset,
    unpack,
)

from reidcore.data import Archive, DatasetCard
from reidcore.errors import DataError, UserError

Pack = Callable[..., Path]

CARD = DatasetCard(
    title="Corner Shop",
    folder="shop",
    layout="shop/\n    release/",
    paper="Nobody, 2020",
    source="https://example.org/shop",
    licence="free",
    protocol="",
    archives=(Archive("shop.zip", "shop"),),
)


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
def test_what_an_archive_holds_is_known_before_it_is_unpacked(tmp_path: Path, pack: Pack) -> None:
    archive = pack(tmp_path / "a.bin", {"set/a/1.jpg": b"12345", "set/2.jpg": b"678", "x": b""})
    assert contents_of(archive) == (frozenset({"set", "x"}), 3, 8)
    unpack(archive, tmp_path / "out")
    assert (tmp_path / "out/set/a/1.jpg").read_bytes() == b"12345"
    assert sorted(path.name for path in (tmp_path / "out").rglob("*") if path.is_file()) == [
        "1.jpg",
        "2.jpg",
        "x",
    ]


@pytest.mark.parametrize(
    "name", ["/etc/x", "../x", "a/../../x", "..\\x", "C:\\x", "C:/x", "C:x", "./c:x"]
)
@pytest.mark.parametrize("pack", [zipped, tarred])
def test_names_that_lead_out_are_refused(tmp_path: Path, pack: Pack, name: str) -> None:
    archive = pack(tmp_path / "a.bin", {"good.jpg": b"1", name: b"2"})
    with pytest.raises(DataError, match="outside the folder"):
        unpack(archive, tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("name", ["", ".", "./."])
@pytest.mark.parametrize("pack", [zipped, tarred])
def test_a_file_without_a_name_is_refused(tmp_path: Path, pack: Pack, name: str) -> None:
    archive = pack(tmp_path / "a.bin", {"good.jpg": b"1", name: b"2"})
    with pytest.raises(DataError, match="an entry has no name"):
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
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pack: Pack
) -> None:
    monkeypatch.setattr(archives, "_SMALL", 1000)
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
def test_half_an_archive_is_told(tmp_path: Path, pack: Pack) -> None:
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


@pytest.mark.parametrize("pack", [zipped, tarred])
def test_folders_of_another_system_are_folders_here(tmp_path: Path, pack: Pack) -> None:
    archive = pack(tmp_path / "a.bin", {"train\\x.jpg": b"1"})
    assert contents_of(archive).tops == {"train"}
    unpack(archive, tmp_path / "out")
    assert (tmp_path / "out/train/x.jpg").read_bytes() == b"1"


@given(st.lists(st.sampled_from(["..", ".", "a", "C:", "", "b.jpg"]), min_size=1, max_size=5))
def test_nothing_is_ever_written_outside(tmp_path_factory: Any, parts: list[str]) -> None:
    for separator in "/", "\\":
        for pack in zipped, tarred:
            folder = tmp_path_factory.mktemp("attack")
            archive = pack(folder / "a.bin", {separator.join(parts): b"x"})
            with suppress(DataError):
                unpack(archive, folder / "deep" / "out")
            outside = {path for path in folder.rglob("*") if path.is_file()} - {archive}
            assert all(path.is_relative_to(folder / "deep" / "out") for path in outside)


def test_a_damaged_compressed_file_is_told(tmp_path: Path) -> None:
    archive = zipped(tmp_path / "a.zip", {"a.jpg": bytes(range(256)) * 40})
    damaged = bytearray(archive.read_bytes())
    damaged[40:60] = b"\xff" * 20
    archive.write_bytes(damaged)
    with pytest.raises(DataError, match=r"cannot unpack a\.zip"):
        unpack(archive, tmp_path / "out")


@pytest.mark.parametrize("pack", [zipped, tarred])
def test_an_archive_is_unpacked(tmp_path: Path, pack: Pack) -> None:
    unpack(pack(tmp_path / "a.bin", {"train/x.jpg": b"inside"}), tmp_path / "set")
    assert (tmp_path / "set/train/x.jpg").read_text() == "inside"


@pytest.mark.parametrize("name", ["../escaped", "a/../../escaped"])
@pytest.mark.parametrize("pack", [zipped, tarred])
def test_an_archive_that_would_write_elsewhere_is_refused(
    tmp_path: Path, pack: Pack, name: str
) -> None:
    with pytest.raises(DataError, match="cannot unpack"):
        unpack(pack(tmp_path / "a.bin", {name: b"inside"}), tmp_path / "set")
    assert not (tmp_path / "escaped").exists()


def test_absolute_names_are_refused(tmp_path: Path) -> None:
    outside = tmp_path / "outside.txt"
    for archive in (
        zipped(tmp_path / "a.zip", {str(outside): b"inside"}),
        tarred(tmp_path / "a.tgz", {str(outside): b"inside"}),
    ):
        with pytest.raises(DataError, match="outside the folder"):
            unpack(archive, tmp_path / "set")
    assert not outside.exists()


def test_a_damaged_archive_is_told(tmp_path: Path) -> None:
    (tmp_path / "a.zip").write_bytes(b"not an archive")
    with pytest.raises(DataError, match=r"cannot unpack a\.zip"):
        unpack(tmp_path / "a.zip", tmp_path / "set")


@pytest.mark.parametrize("url", [None, "http://example.org/set.zip", "file:///etc/passwd"])
def test_only_an_https_address_is_fetched(tmp_path: Path, url: str | None) -> None:
    with pytest.raises(DataError, match="no https address"):
        download_archive("Shop", str(tmp_path / "shop"), url)
    assert not (tmp_path / "shop").exists()


def test_what_exists_is_left_alone(tmp_path: Path) -> None:
    download_archive("Shop", str(tmp_path), None)


def test_an_address_that_leads_away_from_https_is_refused(tmp_path: Path, host: Any) -> None:
    host.files["a.zip"] = zipped(tmp_path / "served.zip", {"train/x.jpg": b"inside"}).read_bytes()
    fetch("people", f"{host.address}/to:{host.address}/a.zip", tmp_path / "a.zip")
    assert (tmp_path / "a.zip").read_bytes() == host.files["a.zip"]
    with pytest.raises(DataError, match="https"):
        fetch("people", f"{host.address}/to:http://plain.test/a.zip", tmp_path / "b.zip")
    assert not (tmp_path / "b.zip").exists()


def packed(names: tuple[str, ...] = ("release/1.jpg", "release/2.jpg")) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name in names:
            archive.writestr(name, name)
    return file.getvalue()


@pytest.mark.parametrize("place", [".", "shop"])
def test_an_archive_in_the_root_or_the_folder_is_unpacked_once(tmp_path: Path, place: str) -> None:
    (tmp_path / "shop").mkdir()
    (tmp_path / place / "shop.zip").write_bytes(packed())
    (done,) = prepare_dataset(CARD, tmp_path)
    assert done.state == "unpacked"
    assert (tmp_path / "shop/release/2.jpg").read_text() == "release/2.jpg"
    (tmp_path / "shop/release/2.jpg").write_text("mine")
    (again,) = prepare_dataset(CARD, tmp_path)
    assert again.state == "there already"
    assert (tmp_path / "shop/release/2.jpg").read_text() == "mine"
    assert not list((tmp_path / "shop").glob(".*"))


def test_a_damaged_archive_leaves_nothing(tmp_path: Path) -> None:
    damaged = bytearray(packed())
    place = damaged.index(b"release/2.jpg", 60)
    damaged[place + 15] ^= 0xFF  # in the second file's content
    (tmp_path / "shop.zip").write_bytes(damaged)
    with pytest.raises(DataError, match=r"cannot unpack shop\.zip"):
        prepare_dataset(CARD, tmp_path)
    assert not list((tmp_path / "shop").iterdir())


def test_a_withdrawn_dataset_wants_to_be_accepted(tmp_path: Path) -> None:
    (tmp_path / "shop.zip").write_bytes(packed())
    card = replace(CARD, withdrawn="people were filmed without their consent")
    with pytest.raises(UserError, match=r"withdrawn: people were filmed.*--accept"):
        prepare_dataset(card, tmp_path)
    assert not (tmp_path / "shop").exists()
    assert prepare_dataset(card, tmp_path, accept=True)[0].state == "unpacked"


def test_without_an_archive_its_source_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        prepare_dataset(CARD, tmp_path / "root")
    for word in ("'shop.zip'", "https://example.org/shop", "Licence: free"):
        assert word in str(caught.value)
    assert not (tmp_path / "root").exists()
    with pytest.raises(DataError, match="in no archive that is known"):
        prepare_dataset(replace(CARD, archives=()), tmp_path)


def test_an_archive_of_another_hash_is_refused(tmp_path: Path) -> None:
    (tmp_path / "shop.zip").write_bytes(packed())
    right = hashlib.sha256(packed()).hexdigest()
    for expected, works in ((right.upper(), True), ("0" * 64, False)):
        card = replace(CARD, archives=(Archive("shop.zip", "shop", sha256=expected),))
        if works:
            assert prepare_dataset(card, tmp_path)[0].state == "unpacked"
        else:
            with pytest.raises(DataError, match="SHA-256"):
                prepare_dataset(card, tmp_path)


def served(host: Any, scheme: str = "") -> DatasetCard:
    """Let a host have the archive, and return a card that says so."""
    host.files["shop.zip"] = packed()
    address = scheme or host.address
    return replace(CARD, archives=(Archive("shop.zip", "shop", f"{address}/shop.zip"),))


def test_an_interrupted_download_leaves_nothing_and_starts_anew(tmp_path: Path, host: Any) -> None:
    card = served(host)
    host.breaks = [40]
    with pytest.raises(DataError, match=r"connection broke after 40 of .* Run it again"):
        prepare_dataset(card, tmp_path)
    assert not list(tmp_path.iterdir())
    assert prepare_dataset(card, tmp_path)[0].state == "unpacked"
    assert (tmp_path / "shop.zip").read_bytes() == packed()


def test_a_download_of_another_hash_does_not_stay(tmp_path: Path, host: Any) -> None:
    card = served(host)
    wrong = replace(card.archives[0], sha256="A" * 64)
    with pytest.raises(DataError, match=f"expected sha256 {'a' * 64}, found"):
        prepare_dataset(replace(card, archives=(wrong,)), tmp_path)
    assert not list(tmp_path.iterdir())


def test_nothing_is_fetched_offline(
    tmp_path: Path, host: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REIDCORE_OFFLINE", "1")
    with pytest.raises(DataError, match="switched off"):
        prepare_dataset(served(host), tmp_path)
    assert not host.asked


def test_only_https_is_fetched(tmp_path: Path, host: Any) -> None:
    with pytest.raises(DataError, match="expected an https address"):
        prepare_dataset(served(host, "http://files.test"), tmp_path)
    assert not host.asked
