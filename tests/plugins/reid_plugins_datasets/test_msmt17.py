"""What is particular about MSMT17: its validation pictures, and its two versions."""

from pathlib import Path

from reid_plugins_datasets.people.msmt17 import msmt17
from reidcore.data import ImageDataManager


def pictures(samples):
    return sum(1 for _ in samples)


def test_validation_pictures_are_learnt_from_when_asked_for_or_all_is_combined(planted):
    root = planted("msmt17").root

    def learnt(**options):
        manager = ImageDataManager(
            root=root, sources="msmt17", height=8, width=4, workers=0, batch_size=2, **options
        )
        return manager.train_loader.dataset.num_train_pids, len(manager.train_loader.dataset)

    tables = msmt17(root), msmt17(root, use_val=True)
    test = pictures(tables[0].query) + pictures(tables[0].gallery)
    few, many = (pictures(table.train) for table in tables)
    assert few < many
    assert learnt() == (6, few)
    assert learnt(sections={"msmt17": {"use_val": True}}) == (6, many)
    assert learnt(combineall=True) == (11, many + test)
    assert learnt(combineall=True, sections={"msmt17": {"use_val": False}}) == (11, few + test)


def test_version_1_is_read_where_both_are(plant, planted):
    root = plant("msmt17").root
    first = [list(split) for split in msmt17(root)]
    masked = planted("msmt17_v2").root / "alt/msmt17_v2/msmt17/MSMT17_V2"
    (root / "msmt17/MSMT17_V2").symlink_to(masked)
    assert [list(split) for split in msmt17(root)] == first
    (root / "msmt17/MSMT17_V1").rename(root / "away")
    assert {Path(s.path).parts[-3] for s in msmt17(root).gallery} == {"mask_test_v2"}
