"""What data may be: a folder, a table, a table that is split."""

import pytest
from reid_plugins_start.source import open_source

from reidcore.errors import DataError, UserError

HEAD = "path,pid,camid,class,split\n"
ROWS = "a.jpg,1,0,car,{}\nb.jpg,2,0,van,{}\nc.jpg,2,1,van,{}\n"


def test_folders_are_imported_and_tables_are_not(tmp_path):
    (tmp_path / "crops").mkdir()
    assert open_source(tmp_path / "crops").table is None
    file = tmp_path / "crops" / "labels.csv"
    file.write_text(HEAD + ROWS.format("train", "train", "train"))
    for path in (file, file.parent):
        found = open_source(path)
        assert (found.table.file, found.is_split) == (file, False)
    file.write_text(HEAD + ROWS.format("train", "query", "gallery"))
    assert open_source(file).is_split
    assert not open_source(file, "van").is_split
    (tmp_path / "tracks.xml").write_text("<annotations/>")
    assert open_source(tmp_path / "tracks.xml").table is None


def test_a_class_that_is_not_there_is_told(tmp_path):
    file = tmp_path / "labels.csv"
    file.write_text(HEAD + ROWS.format("train", "train", "train"))
    with pytest.raises(UserError, match="Did you mean 'van'"):
        open_source(file, "vans")
    file.write_text("path,pid\na.jpg,1\n")
    with pytest.raises(UserError, match="no column 'class'"):
        open_source(file, "van")


def test_nothing_there_is_told(tmp_path):
    with pytest.raises(DataError, match="nothing at"):
        open_source(tmp_path / "crops")


def test_the_digest_changes_with_the_data(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "1.jpg").write_bytes(b"1")
    digests = {open_source(tmp_path).digest()}
    (tmp_path / "a" / "2.jpg").write_bytes(b"2")
    digests.add(open_source(tmp_path).digest())
    (tmp_path / "a" / "2.jpg").write_bytes(b"22")
    digests |= {open_source(tmp_path).digest(), open_source(tmp_path).digest()}
    assert len(digests) == 3


def test_links_are_followed_once_and_those_that_lead_nowhere_are_no_end(tmp_path):
    folder, elsewhere = tmp_path / "crops", tmp_path / "elsewhere"
    folder.mkdir(), elsewhere.mkdir()
    (folder / "round").symlink_to(folder, target_is_directory=True)
    (folder / "gone.jpg").symlink_to(tmp_path / "nothing")
    (folder / "linked").symlink_to(elsewhere, target_is_directory=True)
    before = open_source(folder).digest()
    (folder / "round").unlink()
    assert open_source(folder).digest() == before  # nothing was listed twice
    (elsewhere / "1.jpg").write_bytes(b"1")
    assert open_source(folder).digest() != before


@pytest.mark.parametrize(
    ("name", "called"), [("crops", "crops"), ("my crops!", "my-crops"), ("...", "own")]
)
def test_data_is_called_by_its_folder(tmp_path, name, called):
    if name != "...":
        (tmp_path / name).mkdir()
        assert open_source(tmp_path / name).name == called
