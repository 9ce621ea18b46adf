"""What the program runs on."""

from __future__ import annotations

from reidcore._environment import peak_memory


def test_the_peak_is_in_bytes() -> None:
    peak = peak_memory()
    assert peak is not None
    assert 10 << 20 < peak < 1 << 40
