from __future__ import annotations

import hashlib
import io
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from reidcore.data.card import Archive, DatasetCard
from reidcore.data.preparing import prepare_dataset
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


class Server:
    """Answers urlopen; it stops after so many bytes the first time."""

    def __init__(self, content: bytes, stops_after: int | None = None, ranges: bool = True) -> None:
        self.content, self.stops_after, self.ranges = content, stops_after, ranges
        self.asked: list[str | None] = []

    def __call__(self, request: Any, timeout: float) -> Any:
        wanted = request.get_header("Range")
        self.asked.append(wanted)
        start = int(wanted.removeprefix("bytes=").rstrip("-")) if wanted and self.ranges else 0
        body = self.content[start:]
        sent = body if self.stops_after is None else body[: self.stops_after]
        self.stops_after = None

        class Response(io.BytesIO):
            status = 206 if start else 200
            headers = {"Content-Length": str(len(body))}  # noqa: RUF012

            def geturl(self) -> str:
                return "https://files.test/shop.zip"

        return Response(sent)


@pytest.mark.parametrize("ranges", [True, False])
def test_an_interrupted_download_is_gone_on_with(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ranges: bool
) -> None:
    server = Server(packed(), stops_after=100, ranges=ranges)
    monkeypatch.setattr("urllib.request.urlopen", server)
    card = replace(CARD, archives=(Archive("shop.zip", "shop", "https://files.test/shop.zip"),))
    with pytest.raises(DataError, match="closed before the end"):
        prepare_dataset(card, tmp_path)
    assert not (tmp_path / "shop.zip").exists()
    assert prepare_dataset(card, tmp_path)[0].state == "unpacked"
    assert server.asked == [None, "bytes=100-"]
    assert (tmp_path / "shop.zip").read_bytes() == packed()


def test_nothing_is_fetched_offline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    server = Server(packed())
    monkeypatch.setattr("urllib.request.urlopen", server)
    monkeypatch.setenv("REIDCORE_OFFLINE", "1")
    card = replace(CARD, archives=(Archive("shop.zip", "shop", "https://files.test/shop.zip"),))
    with pytest.raises(DataError, match="switched off"):
        prepare_dataset(card, tmp_path)
    assert not server.asked


def test_only_https_is_fetched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    server = Server(packed())
    monkeypatch.setattr("urllib.request.urlopen", server)
    card = replace(CARD, archives=(Archive("shop.zip", "shop", "http://files.test/shop.zip"),))
    with pytest.raises(DataError, match="no https address"):
        prepare_dataset(card, tmp_path)
    assert not server.asked
