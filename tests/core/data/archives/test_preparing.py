from __future__ import annotations

import hashlib
import io
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from reidcore.data.archives.preparing import prepare_dataset
from reidcore.data.card import Archive, DatasetCard
from reidcore.errors import DataError, UserError

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


@pytest.mark.parametrize("ranges", [True, False])
def test_an_interrupted_download_is_gone_on_with(tmp_path: Path, host: Any, ranges: bool) -> None:
    card = served(host)
    host.ranges = ranges
    host.breaks = [40, 0, 0] if ranges else [40, 40, 40]
    with pytest.raises(DataError, match=r"try again to go on|broke"):
        prepare_dataset(card, tmp_path)
    assert not (tmp_path / "shop.zip").exists()
    assert prepare_dataset(card, tmp_path)[0].state == "unpacked"
    assert host.asked[-1] == ("shop.zip", "bytes=40-")
    assert (tmp_path / "shop.zip").read_bytes() == packed()


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
