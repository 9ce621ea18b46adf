"""What stands beside the rows of a sequence."""

from __future__ import annotations

import pytest
from reid_plugins_tracks.seqinfo import image_folder, sequence_rate

from reidcore.errors import DataError


def test_a_sequence_says_its_images_and_its_rate(tmp_path) -> None:
    assert image_folder(tmp_path) == tmp_path / "img1"
    assert sequence_rate(tmp_path) is None
    (tmp_path / "seqinfo.ini").write_bytes(
        b"\xef\xbb\xbf[Sequence]\r\nname=100%\r\nimDir=a/b\r\nframeRate=12.5\r\n"
    )
    assert image_folder(tmp_path) == tmp_path / "a" / "b"
    assert sequence_rate(tmp_path) == 12.5


@pytest.mark.parametrize(
    ("read", "text", "told"),
    [
        (image_folder, "imDir=x\n", "cannot be read"),
        (image_folder, "[Sequence]\nimDir=../x\n", "names a file outside of its folder: '../x'"),
        (sequence_rate, "[Sequence]\nframeRate=0\n", "has the frameRate '0'. Write frames a se"),
        (sequence_rate, "[Sequence]\nframeRate=fast\n", "has the frameRate 'fast'"),
    ],
)
def test_what_is_wrong_is_told(tmp_path, read, text, told) -> None:
    (tmp_path / "seqinfo.ini").write_text(text)
    with pytest.raises(DataError, match=told):
        read(tmp_path)
