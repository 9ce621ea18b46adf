"""Trees of a few files in the layouts that `make_trees.py` does not make, written out in full."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

WILDLIFE = """\
image_id,identity,path,date,species,orientation
1,Anna,images/a1.jpg,2015-06-30,turtle,left
2,Anna,images/a2.jpg,2015-06-30 09:12:00,turtle,right
3,Anna,images/a3.jpg,2016-07-01,turtle,left
4,Anna,images/a4.jpg,2017-07-01,turtle,left
5,Bert,images/b1.jpg,2016-07-02,turtle,left
6,Bert,images/b2.jpg,2016-07-03,turtle,left
7,Cleo,images/c1.jpg,2016-07-03,turtle,left
8,Dora,images/d1.jpg,,turtle,left
9,Dora,images/d2.jpg,2014-05-01,turtle,left
10,unknown,images/u1.jpg,2014-05-01,turtle,left
"""

_SOCCER = "soccernetv3/reid"
_GAME = "england_epl/2014-2015/2015-02-21"


def _soccer(split: str, box: int, action: int, person: int, frame: int, role: str) -> str:
    name = f"{box}-{action}-{person}-{frame}-{role}-9-014r002_00858c3b0003-75x49.png"
    return f"{_SOCCER}/{split}/{_GAME}/{action}/{name}"


def _empty(*paths: str) -> dict[str, str]:
    return dict.fromkeys(paths, "")


TREES: dict[str, dict[str, str]] = {
    "sysu_mm01": {
        **_empty(
            *(
                f"SYSU-MM01/cam{camera}/{pid:04d}/0001.jpg"
                for pid in (1, 2, 4, 6)
                for camera in (1, 3)
            ),
            "SYSU-MM01/cam1/0006/0012.jpg",
            "SYSU-MM01/cam2/0006/0001.jpg",
            "SYSU-MM01/cam4/0009/0001.jpg",
            "SYSU-MM01/cam5/0004/0001.jpg",
            "SYSU-MM01/cam6/0006/0003.jpg",
        ),
        "SYSU-MM01/exp/train_id.txt": "1,4\n",
        "SYSU-MM01/exp/val_id.txt": "2\n",
        "SYSU-MM01/exp/test_id.txt": "6\n",
    },
    "regdb": {
        **_empty(
            *(
                f"RegDB/{kind}/{pid}/{number}.bmp"
                for kind in ("Visible", "Thermal")
                for pid in (1, 2)
                for number in (1, 2)
            ),
        ),
        "RegDB/idx/train_visible_1.txt": "Visible/1/1.bmp 0\nVisible/1/2.bmp 0\n",
        "RegDB/idx/train_thermal_1.txt": "Thermal/1/1.bmp 0\nThermal/1/2.bmp 0\n",
        "RegDB/idx/test_visible_1.txt": "Visible/2/1.bmp 0\nVisible/2/2.bmp 0\n",
        "RegDB/idx/test_thermal_1.txt": "Thermal/2/1.bmp 0\nThermal/2/2.bmp 0\n",
        "RegDB/idx/train_visible_10.txt": "Visible/2/1.bmp 0\n",
        "RegDB/idx/train_thermal_10.txt": "Thermal/2/1.bmp 0\n",
        "RegDB/idx/test_visible_10.txt": "Visible/1/1.bmp 0\n",
        "RegDB/idx/test_thermal_10.txt": "Thermal/1/1.bmp 0\n",
    },
    "vc_clothes": _empty(
        "VC-Clothes/train/0001-01-01-01.jpg",
        "VC-Clothes/train/0001-03-02-01.jpg",
        "VC-Clothes/query/0002-02-01-01.jpg",
        "VC-Clothes/query/0002-04-02-01.jpg",
        "VC-Clothes/gallery/0002-03-01-05.jpg",
        "VC-Clothes/gallery/0002-01-03-05.jpg",
    ),
    "deepchange": {
        **_empty(
            *(
                f"DeepChangeDataset/train-set/P1_C{camera}_{outfit}_a.jpg"
                for camera, outfit in ((1, "x"), (17, "y"))
            ),
            "DeepChangeDataset/test-set-query/P2_C3_x_a.jpg",
            "DeepChangeDataset/test-set-gallery/P2_C3_x_b.jpg",
            "DeepChangeDataset/test-set-gallery/P2_C3_z_c.jpg",
            "DeepChangeDataset/val-set-query/P3_C1_x_a.jpg",
            "DeepChangeDataset/val-set-gallery/P3_C2_x_a.jpg",
        ),
        "DeepChangeDataset/train-set-bbox.txt": "P1_C1_x_a.jpg,4,0,0\nP1_C17_y_a.jpg,5,0\n",
        "DeepChangeDataset/test-set-query-bbox.txt": "P2_C3_x_a.jpg,7,0,0,9,9\n",
        "DeepChangeDataset/test-set-gallery-bbox.txt": "P2_C3_x_b.jpg,7\nP2_C3_z_c.jpg,8,0\n",
        "DeepChangeDataset/val-set-query-bbox.txt": "P3_C1_x_a.jpg,1\n",
        "DeepChangeDataset/val-set-gallery-bbox.txt": "P3_C2_x_a.jpg,2\n",
    },
    "ccvid": {
        **_empty(
            "CCVID/session1/001_01/00001.jpg",
            "CCVID/session1/001_01/00002.jpg",
            "CCVID/session3/002_01/00001.jpg",
            "CCVID/session1/002_12/00007.jpg",
            "CCVID/session2/002_12/00007.jpg",
        ),
        "CCVID/train.txt": "session1/001_01\t001\tu0_l0\n",
        "CCVID/query.txt": "session3/002_01\t002\tu1_l1\n",
        "CCVID/gallery.txt": "session1/002_12\t002\tu0_l0\nsession2/002_12\t002\tu1_l1\n",
    },
    "soccernet_reid": _empty(
        _soccer("train", 0, 0, 1, 0, "Main_referee"),
        _soccer("test/query", 0, 3, 11, 6, "Player_team_left"),
        _soccer("test/gallery", 0, 3, 11, 7, "Player_team_left"),
        _soccer("test/gallery", 1, 4, 12, 9, "Staff_members"),
        _soccer("valid/query", 0, 3, 21, 6, "Player_team_left"),
        _soccer("valid/gallery", 0, 3, 21, 7, "Player_team_left"),
    ),
    "personx": _empty(
        "personx/subset1/bounding_box_train/0004_c3s1_01.jpg",
        "personx/subset1/query/0001_c12s1_32.jpg",
        "personx/subset1/bounding_box_test/0001_c4s1_03.jpg",
    ),
    "vehiclex": _empty(
        "vehiclex/AIC20_ReID_Simulation/image_train/0001_c006_33.jpg",
        "vehiclex/AIC20_ReID_Simulation/image_train/1362_c036_1.jpg",
    ),
    "airport_alert": {
        **_empty("AirportALERT/cam1/11001/a.jpg", "AirportALERT/cam10/11002/b.jpg"),
        "AirportALERT/filepath.txt": "cam1\\11001\\a.jpg\ncam10\\11002\\b.jpg\ncam1\\7\\c.jpg\n",
    },
    "sysu_mm": _empty(
        *(f"SYSU-MM01/cam{camera}/000{camera}/0001.jpg" for camera in (1, 2, 4, 5)),
    ),
    "caviara": _empty("CAVIARa/0001001.jpg", "CAVIARa/0072010.jpg"),
    "lpw": _empty(
        "pep_256x128/scen1/view1/1/1.jpg",
        "pep_256x128/scen1/view2/1/12.jpg",
        "pep_256x128/scen2/view1/1/3.jpg",
    ),
    "pes3d": _empty("3DPeS/RGB/1_16_a.bmp", "3DPeS/RGB/1_17_b.bmp", "3DPeS/RGB/192_1_a.bmp"),
    "pku": _empty("PKUv1a_128x48/001_1_3.png", "PKUv1a_128x48/001_2_8.png"),
    "prai": _empty("PRAI-1581/images/00000001_0001_a.jpg", "PRAI-1581/images/00000002_0002_a.jpg"),
    "saivt": _empty(
        "SAIVT-SoftBio/cropped_images/001/a-b-C3-0001.jpeg",
        "SAIVT-SoftBio/cropped_images/002/a-b-C8-0001.jpeg",
    ),
    "shinpuhkan": _empty("shinpuhkan/images/001_16_x.jpg", "shinpuhkan/images/024_02_x.jpg"),
    "thermalworld": _empty("thermalworld_rgb/7/a.jpg", "thermalworld_rgb/12/b.jpg"),
    "wildtrack": _empty(
        "Wildtrack_crop_dataset/crop/2/C1_0.png", "Wildtrack_crop_dataset/crop/10/C7_0.png"
    ),
    "wildlife": {
        **_empty(
            *(
                f"images/{name}.jpg"
                for name in ("a1", "a2", "a3", "a4", "b1", "b2", "c1", "d1", "d2", "u1")
            ),
        ),
        "metadata.csv": WILDLIFE,
    },
}
"""Dataset -> path below the data root -> what is in the file; images have nothing in them."""


def plant(root: Path, name: str, changes: Mapping[str, str] | None = None) -> Path:
    """Write the tree of a dataset, some of its files otherwise; return the data root."""
    for path, text in {**TREES[name], **(changes or {})}.items():
        place = root / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text)
    return root
