"""Bundled datasets: benchmarks and anyone's own folders."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reidcore import hookimpl

if TYPE_CHECKING:
    from reidcore.registry import Registrar

# Folder of this package, or module that makes several -> name -> what it is. In a folder the
# factory of that name lives in the module of that name.
DATASETS = {
    "own": {
        "folder": "your own train, query and gallery folders, by a pattern",
        "csv": "your own table: path, pid, camid and split of each image",
    },
    "people": {
        "cuhk01": "971 people by 2 cameras; 20 splits",
        "cuhk02": "1816 people by 5 pairs of cameras",
        "cuhk03": "1467 people, detected or labeled boxes, new or classic protocol",
        "cuhksysu": "11934 people cut from street scenes; to learn from only",
        "dukemtmcreid": "1404 people by 8 cameras; withdrawn by its authors",
        "grid": "250 people by 8 underground cameras; 10 splits",
        "ilids": "119 people in an airport; 10 splits",
        "market1501": "1501 people by 6 cameras; optional 500k distractors",
        "msmt17": "4101 people by 15 cameras, version 1 or 2",
        "prid": "385 and 749 people by 2 cameras, one picture each; 10 splits",
        "sensereid": "1717 people; to test with only",
        "viper": "632 people by 2 cameras; 20 splits",
    },
    "occluded": {
        "occluded_duke": "DukeMTMC's people, hidden in every query; withdrawn by its authors",
        "occluded_reid": "200 people behind obstacles; to test with only",
        "partial_ilids": "119 people of whom a part is seen; to test with only",
        "partial_reid": "60 people of whom a part is seen; to test with only",
    },
    "clothing": {
        "last": "10862 people in films",
        "deepchange": "1121 people by 17 cameras, over twelve months",
        "ltcc": "152 people by 12 cameras, 478 outfits",
        "prcc": "221 people by 3 cameras, other clothes before the third",
        "vc_clothes": "people of a video game by 4 cameras, two of which see other clothes",
    },
    "modalities": {
        "regdb": "people by a visible and a thermal camera; 10 splits",
        "sysu_mm01": "491 people by 4 visible and 2 infrared cameras",
    },
    "sports": {
        "soccernet_reid": "soccer players in replays of the same action",
    },
    "video": {
        "ccvid": "tracklets of people who change their clothes, by 12 cameras",
        "dukemtmcvidreid": "1404 people by 8 cameras; withdrawn by its authors",
        "ilidsvid": "300 people by 2 cameras; 10 splits",
        "mars": "1261 people by 6 cameras",
        "prid2011": "178 people by 2 cameras; 10 splits",
    },
    "vehicles": {
        "vehicleid": "26267 vehicles; test sets of several sizes",
        "veri": "776 vehicles by 20 cameras",
        "veriwild": "40671 vehicles by 174 cameras; test sets of three sizes",
    },
    "pedestrian_attributes": {
        "pa100k": "100000 images of pedestrians with 26 attributes, without identities",
        "peta": "19000 images of pedestrians with 35 attributes, without identities",
        "rap": "41585 images of shoppers with 51 attributes, without identities",
        "rap2": "84928 images of shoppers with 54 attributes",
    },
    "wildlife": {
        "wildlife": "animals of a table of images; six ways to split it",
    },
    "rendered": {
        "personx": "1266 drawn people by 6 cameras",
        "vehiclex": "1362 drawn vehicles; to learn from only",
    },
    "train_only": {
        "airport_alert": "travellers in an airport; to learn from only",
        "sysu_mm": "visible pictures of SYSU-MM01's people; to learn from only",
    },
    "train_only.by_paths": {
        "caviara": "people in a shopping centre; to learn from only",
        "lpw": "people in three street scenes; to learn from only",
        "pes3d": "people on a campus; to learn from only",
        "pku": "114 people from eight sides by 2 cameras; to learn from only",
        "prai": "people seen by drones; to learn from only",
        "saivt": "people in a building by 8 cameras; to learn from only",
        "shinpuhkan": "24 people by 16 cameras; to learn from only",
        "thermalworld": "colour pictures of people; to learn from only",
        "wildtrack": "313 people by 7 cameras at one place; to learn from only",
    },
    "places": {
        "university1652": "1652 buildings seen by drones, satellites and from the street",
    },
}

# Names of datasets that lie in MATLAB's files.
MATLAB = {"cuhk03", "grid", "ilidsvid", "mars", "pa100k", "peta", "rap", "rap2"}

# Other spellings of options, by which Torchreid knows them.
SPELLINGS = {
    "csv": {"csv": "file"},  # the place of a table, as in shop: {csv: shop.csv}
    "market1501": {"market1501_500k": "use_500k_distractors"},
    "cuhk03": {
        "cuhk03_labeled": "labeled_images",
        "cuhk03_classic_split": "classic_split",
        "labeled": "labeled_images",
        "classic": "classic_split",
    },
}


@hookimpl
def reid_register_datasets(registry: Registrar) -> None:
    """Register the bundled datasets."""
    for place, summaries in DATASETS.items():
        for name, summary in summaries.items():
            module = place if "." in place else f"{place}.{name}"
            registry.add(
                name,
                f"{__name__}.{module}:{name}",
                summary=summary,
                needs=("mat",) if name in MATLAB else (),
                options=SPELLINGS.get(name, {}),
            )
