"""Ultralytics' encoder: its margin, and boxes that hold nothing."""

from __future__ import annotations

import logging
from types import SimpleNamespace

import numpy as np
import pytest
from reid_plugins_trackers.ultralytics import UltralyticsEncoder

from reidcore.errors import UserError

BOX = np.array([[20.0, 32.0, 20.0, 40.0]])  # centre, width, height


def test_the_margin_is_theirs_where_it_is_asked_for(extractor, frame) -> None:
    (wider,) = UltralyticsEncoder(extractor, gain=1.02, pad=10)(frame, BOX)
    sides = BOX[0, 2:] * 1.02 + 10
    (same,) = UltralyticsEncoder(extractor)(frame, np.array([[20, 32, *sides]]))
    (exact,) = UltralyticsEncoder(extractor)(frame, BOX)
    np.testing.assert_array_equal(wider, same)
    assert wider @ exact < 0.99


def test_the_boxes_given_stay_as_they_were(extractor, frame) -> None:
    given = BOX.copy()
    UltralyticsEncoder(extractor, gain=2.0, pad=3)(frame, given)
    np.testing.assert_array_equal(given, BOX)


def test_a_box_without_a_pixel_is_none(extractor, frame) -> None:
    outside = [500.0, 500.0, 20.0, 20.0]
    first, second = UltralyticsEncoder(extractor)(frame, np.array([outside, BOX[0]]))
    assert first is None
    assert second is not None


def test_no_boxes_give_an_empty_list(extractor, frame) -> None:
    assert UltralyticsEncoder(extractor)(frame, np.empty((0, 5))) == []


def test_a_tracker_asks_it_whatever_its_configuration_says(extractor) -> None:
    args = SimpleNamespace(with_reid=False, model="auto")
    tracker, encoder = SimpleNamespace(args=args, encoder=None), UltralyticsEncoder(extractor)
    encoder.attach_to(tracker)
    assert tracker.encoder is encoder
    assert args.with_reid
    assert args.model != "auto"


def test_a_tracker_without_features_is_told(extractor) -> None:
    with pytest.raises(UserError, match="SimpleNamespace does not use features"):
        UltralyticsEncoder(extractor).attach_to(SimpleNamespace(args=SimpleNamespace()))


def test_an_oriented_box_is_widened_and_told_once(extractor, frame, caplog) -> None:
    turned = np.array([[20.0, 32.0, 40.0, 20.0, np.pi / 2, 0.0]])  # and its place
    encoder = UltralyticsEncoder(extractor)
    with caplog.at_level(logging.WARNING):
        (row,) = encoder(frame, turned)
        encoder(frame, turned)
    np.testing.assert_allclose(row, encoder(frame, BOX)[0], atol=1e-6)
    assert len(caplog.records) == 1
    assert encoder(frame, np.empty((0, 6))) == []
