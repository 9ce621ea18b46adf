from __future__ import annotations

import io
import os
import pickle
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from threading import Thread
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from reidcore.data.images import decode
from reidcore.data.images.decode import (
    JpegDecoder,
    UnreadableImageError,
    decoder_in_use,
    jpeg_decoder,
    read_image,
    read_pixels,
)


def _file(mode: str = "RGB", size: tuple[int, int] = (45, 67), **options: Any) -> bytes:
    rng = np.random.default_rng(0)
    coarse = Image.fromarray(rng.integers(0, 256, (7, 5, 3), dtype=np.uint8))
    written = io.BytesIO()
    coarse.resize(size, Image.Resampling.BICUBIC).convert(mode).save(written, "JPEG", **options)
    return written.getvalue()


@pytest.fixture
def decided_anew() -> Iterator[None]:
    decode._jpeg_decoder.cache_clear()
    yield
    decode._jpeg_decoder.cache_clear()


@pytest.fixture(params=["OpenCV", "Pillow"])
def decoder(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, decided_anew: None
) -> str:
    if request.param == "Pillow":
        monkeypatch.setitem(sys.modules, "cv2", None)
    elif not isinstance(jpeg_decoder(), JpegDecoder):
        pytest.skip(f"on this machine {jpeg_decoder()}")
    return str(request.param)


@pytest.mark.parametrize("mode", ["RGB", "L", "P", "RGBA", "CMYK"])
def test_every_kind_of_image_becomes_rgb(tmp_path: Path, mode: str) -> None:
    path = tmp_path / ("x.jpg" if mode == "CMYK" else "x.png")
    Image.new(mode, (6, 9), 0).save(path)
    image = read_image(path)
    assert (image.mode, image.size) == ("RGB", (6, 9))


def _truncated(path: Path) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(path)
    path.write_bytes(path.read_bytes()[:900])


@pytest.mark.parametrize("case", ["missing", "empty", "text", "truncated.jpg", "truncated.png"])
def test_an_unreadable_file_is_named_with_the_choice_to_skip(tmp_path: Path, case: str) -> None:
    path = tmp_path / (case if "." in case else "x.jpg")
    if case == "empty":
        path.touch()
    elif case == "text":
        path.write_text("no image")
    elif case.startswith("truncated"):
        _truncated(path)
    with pytest.raises(UnreadableImageError) as caught:
        read_image(path)
    assert str(path) in str(caught.value)
    assert "data.on_bad_image=skip" in str(caught.value)
    again = pickle.loads(pickle.dumps(caught.value))
    assert (str(again), again.path) == (str(caught.value), str(path))


@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"quality": 5, "optimize": True}])
def test_the_pixels_are_those_of_read_image(
    tmp_path: Path, decoder: str, mode: str, options: Any
) -> None:
    path = tmp_path / "a.jpg"
    path.write_bytes(_file(mode, **options))
    np.testing.assert_array_equal(read_pixels(str(path)), np.asarray(read_image(path)))


def _outcome(read: Any, path: Path) -> Any:
    try:
        pixels = np.asarray(read(str(path)))
        return pixels.shape, pixels.tobytes()
    except UnreadableImageError as error:
        return str(error)


@pytest.mark.parametrize("end", [0, 1, 3, 100, 400, -20, -2])
def test_a_cut_file_is_as_unreadable_as_pillow_finds_it(
    tmp_path: Path, decoder: str, end: int
) -> None:
    path = tmp_path / "a.jpg"
    path.write_bytes(_file()[:end])
    try:
        expected = np.asarray(read_image(path))
    except UnreadableImageError as error:
        with pytest.raises(UnreadableImageError, match=re.escape(str(error))):
            read_pixels(str(path))
    else:
        np.testing.assert_array_equal(read_pixels(str(path)), expected)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("files")


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_a_damaged_file_is_read_or_refused_as_pillow_does_it(folder: Path, data: Any) -> None:
    options = {"progressive": data.draw(st.booleans()), "subsampling": data.draw(st.integers(0, 2))}
    file = bytearray(_file(data.draw(st.sampled_from(["RGB", "L"])), **options))
    for _ in range(data.draw(st.integers(1, 5))):
        place = data.draw(st.integers(0, len(file) - 1))
        file[place : place + data.draw(st.integers(0, 4))] = data.draw(st.binary(max_size=4))
    path = folder / "a.jpg"
    path.write_bytes(file)
    assert _outcome(read_pixels, path) == _outcome(read_image, path)


def test_other_formats_and_missing_files(tmp_path: Path, decoder: str) -> None:
    path = tmp_path / "a.png"
    Image.new("RGB", (3, 2), (1, 2, 3)).save(path)
    assert read_pixels(str(path)).tolist() == [[[1, 2, 3]] * 3] * 2
    with pytest.raises(UnreadableImageError, match="No such file"):
        read_pixels(str(tmp_path / "b.jpg"))


def test_a_draft_is_smaller_but_not_too_small(tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    path.write_bytes(_file(size=(200, 400)))
    assert read_pixels(str(path)).shape == (400, 200, 3)
    assert read_pixels(str(path), draft=(100, 50)).shape == (100, 50, 3)
    assert read_pixels(str(path), draft=(120, 50)).shape == (200, 100, 3)


def test_an_image_is_read_as_it_lies_in_the_file(tmp_path: Path, decoder: str) -> None:
    turned = Image.Exif()
    turned[0x0112] = 6  # "turn me by a quarter"
    path = tmp_path / "a.jpg"
    path.write_bytes(_file(size=(30, 20), exif=turned))
    assert read_pixels(str(path)).shape == (20, 30, 3)


class Fake:
    """OpenCV as a machine may have it."""

    IMREAD_COLOR_RGB = IMREAD_IGNORE_ORIENTATION = 0
    error = ValueError

    @staticmethod
    def imdecode(file: Any, flags: int) -> Any:
        return np.zeros((51, 37, 3), dtype=np.uint8)


class Refuses(Fake):
    @staticmethod
    def imdecode(file: Any, flags: int) -> Any:
        raise ValueError("no")


@pytest.mark.parametrize(
    ("module", "why"),
    [
        (None, "OpenCV cannot be loaded: "),
        (object(), "OpenCV cannot be loaded: OpenCV is older than 4.11"),
        (Fake, "OpenCV is not used: damaged files would pass unnoticed"),
        (Refuses, "OpenCV is not used: its pixels are not those of this Pillow"),
    ],
)
def test_a_decoder_that_is_missing_or_disagrees_is_not_used(
    monkeypatch: pytest.MonkeyPatch, decided_anew: None, tmp_path: Path, module: Any, why: str
) -> None:
    path = tmp_path / "a.jpg"
    path.write_bytes(_file())
    monkeypatch.setitem(sys.modules, "cv2", module)
    assert decoder_in_use().startswith(f"Pillow ({why}")
    np.testing.assert_array_equal(read_pixels(str(path)), np.asarray(read_image(path)))


def test_a_system_library_that_is_missing_is_named(
    monkeypatch: pytest.MonkeyPatch, decided_anew: None
) -> None:
    def missing(name: str) -> Any:
        raise ImportError("libGL.so.1: cannot open shared object file: No such file or directory")

    monkeypatch.setattr(decode, "import_module", missing)
    assert decoder_in_use().endswith("install the system library libGL.so.1)")


def test_what_libjpeg_says_of_damage_does_not_reach_the_terminal(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(_file()[:700] + b"\xff\xd9")
    script = """
import os, sys
from reidcore.data.images.decode import jpeg_decoder, prepare_worker, read_pixels
prepare_worker()
read_pixels("a.jpg")
if child := os.fork():
    os.waitpid(child, 0)
else:
    read_pixels("a.jpg")
    os._exit(0)
print("mine", file=sys.stderr)
"""
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stderr) == (0, "mine\n")


def test_threads_that_read_at_once_read_what_one_would(tmp_path: Path) -> None:
    sound, damaged = tmp_path / "sound.jpg", tmp_path / "damaged.jpg"
    sound.write_bytes(_file())
    damaged.write_bytes(_file()[:700] + b"\xff\xd9")
    expected = {path: _outcome(read_image, path) for path in (sound, damaged)}
    found: list[Any] = []

    def read(path: Path) -> None:
        found.extend((path, _outcome(read_pixels, path)) for _ in range(50))

    threads = [Thread(target=read, args=(path,)) for path in (sound, damaged) * 2]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 200
    assert all(outcome == expected[path] for path, outcome in found)
