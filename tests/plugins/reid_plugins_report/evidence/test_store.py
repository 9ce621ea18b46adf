from __future__ import annotations

import zipfile

import numpy as np
import pytest
from reid_plugins_report.evidence import Curves, Evidence, Spread, read_evidence, write_evidence
from reid_plugins_report.evidence.store import evidence_path

from reidcore.errors import DataError


def test_what_was_written_is_read(tmp_path) -> None:
    path = tmp_path / "report_x.npz"
    write_evidence(path, {"target": "naïve"}, [Curves(np.array([0.5, 1]), np.zeros(0))])
    found = read_evidence(path)
    assert found.facts["target"] == "naïve"
    assert found.part(Curves).cmc.tolist() == [0.5, 1]
    assert found.part(Spread) is None


@pytest.mark.parametrize("name", ["../../etc", "a/b", "<script>", "x" * 300, "", "\udcff"])
def test_a_target_of_any_name_has_a_file_of_its_own_in_the_folder(name, tmp_path) -> None:
    path = evidence_path(tmp_path, name)
    assert path.parent == tmp_path
    assert path.match("report_*.npz")
    assert len(path.name) < 100
    assert path != evidence_path(tmp_path, name + "_")


def test_what_is_no_evidence_is_refused(tmp_path) -> None:
    path = tmp_path / "report_x.npz"
    path.write_bytes(b"nothing of the kind")
    with pytest.raises(DataError, match=r"report_x\.npz' cannot be read as a report's evidence"):
        read_evidence(path)
    np.savez(path, other=np.zeros(3))
    with pytest.raises(DataError, match="cannot be read"):
        read_evidence(path)
    np.savez(path, facts=np.array([{"format": 1}], dtype=object))  # a pickle inside
    with pytest.raises(DataError, match="cannot be read"):
        read_evidence(path)
    write_evidence(path, {}, [])
    path.write_bytes(path.read_bytes()[:-30])
    with pytest.raises(DataError, match="cannot be read"):
        read_evidence(path)


def test_a_part_that_lacks_an_array_is_not_there() -> None:
    assert Evidence({}, {"Curves/cmc": np.zeros(1)}).part(Curves) is None


def test_arrays_that_are_too_large_together_are_not_unpacked(tmp_path) -> None:
    path = tmp_path / "report_x.npz"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(3):
            with archive.open(f"{number}.npy", "w", force_zip64=True) as member:
                for _ in range(100):
                    member.write(bytes(1 << 20))
    assert path.stat().st_size < 1 << 20
    with pytest.raises(DataError, match="too large to be a report's evidence"):
        read_evidence(path)
