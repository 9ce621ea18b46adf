from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from reidcore.data.images.depth import as_bytes, check_depth, range_of
from reidcore.data.images.reading import (
    TORCHREID,
    VIEWER,
    ImageReading,
    UnreadableImageError,
)
from reidcore.errors import ConfigError, DataError

ALL = np.arange(65536, dtype=np.uint16)
UNIT = VIEWER._replace(value_range=(0.0, 1.0))


def test_sixteen_bits_become_eight_by_257() -> None:
    scaled = as_bytes(ALL, VIEWER, "x")
    np.testing.assert_array_equal(scaled, np.rint(ALL / 257))
    np.testing.assert_array_equal(as_bytes(ALL.astype(">u2"), VIEWER, "x"), scaled)
    np.testing.assert_array_equal(scaled[::257], np.arange(256))


def test_other_unsigned_integers_scale_by_their_types_range_and_bytes_stay() -> None:
    wide = np.array([0, 2**31, 2**32 - 1], dtype=np.uint32)
    assert as_bytes(wide, VIEWER, "x").tolist() == [0, 128, 255]
    assert as_bytes(np.array([False, True]), VIEWER, "x").tolist() == [0, 255]
    same = np.arange(256, dtype=np.uint8)
    assert as_bytes(same, UNIT, "x") is same


@pytest.mark.parametrize("preset", ["viewer", "torchreid"])
@pytest.mark.parametrize("kind", [np.float16, np.float32, np.float64])
def test_floats_scale_by_the_range_that_was_told(kind: Any, preset: str) -> None:
    values = np.array([-3, 0, 0.25, 0.5, 1, 7], dtype=kind)
    reading = ImageReading(preset, (0.0, 1.0))
    assert as_bytes(values, reading, "x").tolist() == [0, 0, 64, 128, 255, 255]


def test_the_range_holds_for_integers_of_more_than_eight_bits() -> None:
    reading = VIEWER._replace(value_range=(7000, 9040))
    for kind in (np.uint16, np.int32, np.int64):
        values = np.array([0, 7000, 8020, 9040, 60000], dtype=kind)
        assert as_bytes(values, reading, "x").tolist() == [0, 0, 128, 255, 255]


@pytest.mark.parametrize("reading", [VIEWER, TORCHREID])
@pytest.mark.parametrize("kind", [np.int16, np.int32, np.int64, np.float32])
def test_values_of_an_unknown_range_are_refused_with_the_key(
    kind: Any, reading: ImageReading
) -> None:
    told = "a.tif holds .*, whose range nobody told. Set data.value_range"
    with pytest.raises(DataError, match=told) as caught:
        as_bytes(np.zeros(3, kind), reading, "a.tif")
    assert not isinstance(caught.value, UnreadableImageError)  # skipping would leave all out
    assert range_of(np.dtype(kind), reading) is None


@pytest.mark.parametrize("kind", [complex, "U3", object])
def test_what_is_no_number_is_refused(kind: Any) -> None:
    with pytest.raises(DataError, match="no values of pixels"):
        check_depth(np.dtype(kind), UNIT, "x")


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_values_that_are_not_finite_are_one_images_fault(value: float) -> None:
    with pytest.raises(UnreadableImageError, match="not finite"):
        as_bytes(np.array([0.5, value]), UNIT, "x")


def test_torchreids_reading_leaves_values_as_they_are_and_loses_none() -> None:
    assert as_bytes(ALL[:256], TORCHREID, "x").tolist() == list(range(256))
    with pytest.raises(DataError, match=r"from 7000 to 9040.*Set data.reading=viewer"):
        as_bytes(np.array([7000, 9040], dtype=np.uint16), TORCHREID, "x")


@pytest.mark.parametrize("ends", [[], [1], [2, 1], [1, 1], [0, 1, 2]])
def test_a_range_that_is_none_is_refused(ends: list[float]) -> None:
    with pytest.raises(
        ConfigError, match=r"data\.value_range is .*two numbers, of which the first is smaller"
    ):
        ImageReading.recorded({"value_range": ends})


@pytest.mark.parametrize("end", [np.inf, -np.inf, np.nan])
def test_a_range_without_an_end_is_refused(end: float) -> None:
    with pytest.raises(ConfigError, match=r"data\.value_range\[1\] is"):
        ImageReading.recorded({"value_range": [0, end]})


def test_a_preset_that_is_none_is_refused_with_the_nearest() -> None:
    with pytest.raises(ConfigError, match=r"data\.reading is 'viwer'. Did you mean 'viewer'"):
        ImageReading.recorded({"reading": "viwer"})
