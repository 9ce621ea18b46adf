from __future__ import annotations

from pathlib import Path
from typing import get_args

import numpy as np
import pytest

from reidcore.config.options import VideoOptions
from reidcore.data.video import SAMPLE_METHODS, choose_frames
from reidcore.errors import ConfigError, DataError, UnknownNameError

GOLD = np.load(Path(__file__).parents[2] / "fixtures" / "video" / "video.npz")
LENGTHS = range(1, 41)


def chosen(method: str, seq_len: int) -> np.ndarray:
    return np.stack([choose_frames(method, length, seq_len) for length in LENGTHS])


@pytest.mark.parametrize("seq_len", [1, 4, 8, 15])
def test_evenly_torchreid_is_torchreids(seq_len: int) -> None:
    np.testing.assert_array_equal(chosen("evenly_torchreid", seq_len), GOLD[f"evenly_seq{seq_len}"])


@pytest.mark.parametrize("seq_len", [1, 4, 8, 15])
def test_evenly_is_torchreids_where_that_drops_no_tail(seq_len: int) -> None:
    sound = [n - 1 for n in LENGTHS if n <= seq_len or n % seq_len == 0]
    ours, theirs = chosen("evenly", seq_len), GOLD[f"evenly_seq{seq_len}"]
    np.testing.assert_array_equal(ours[sound], theirs[sound])


@pytest.mark.parametrize("seq_len", [2, 3, 7, 15])
def test_evenly_spreads_over_the_whole_tracklet(seq_len: int) -> None:
    for length in range(seq_len, 100):
        frames = choose_frames("evenly", length, seq_len)
        steps = np.diff(frames)
        assert frames[0] == 0
        assert steps.max() - steps.min() <= 1
        assert 0 <= length - 1 - frames[-1] < steps.min()


def test_the_tail_that_torchreid_drops() -> None:
    assert choose_frames("evenly", 29, 15).tolist() == list(range(0, 29, 2))
    assert choose_frames("evenly_torchreid", 29, 15).tolist() == list(range(15))


@pytest.mark.parametrize("seq_len", [4, 15])
def test_random_draws_as_torchreid_from_numpys_generator(seq_len: int) -> None:
    for length in LENGTHS:
        np.random.seed(length)
        frames = choose_frames("random", length, seq_len)
        np.testing.assert_array_equal(frames, GOLD[f"random_seq{seq_len}"][length - 1])
        assert length < seq_len or len(set(frames.tolist())) == seq_len


def test_all_is_all() -> None:
    assert choose_frames("all", 7, 3).tolist() == list(range(7))


@pytest.mark.parametrize(
    ("method", "length", "seq_len", "error", "words"),
    [
        ("evenlly", 9, 3, UnknownNameError, "Did you mean 'evenly'"),
        ("Random", 9, 3, UnknownNameError, "Did you mean 'random'"),
        ("third", 9, 3, UnknownNameError, "Use evenly or random or all"),
        ("evenly", 9, 0, ConfigError, "video.seq_len"),
        ("evenly", 0, 3, DataError, "no frames"),
        ("all", 0, 3, DataError, "no frames"),
    ],
)
def test_mistakes_are_refused(
    method: str, length: int, seq_len: int, error: type, words: str
) -> None:
    with pytest.raises(error, match=words):
        choose_frames(method, length, seq_len)


def test_the_configuration_knows_the_same_methods() -> None:
    assert set(get_args(VideoOptions.model_fields["sample_method"].annotation)) == set(
        SAMPLE_METHODS
    )
