"""Sets of people to learn from only, which differ in their paths alone."""

from __future__ import annotations

import re

from reid_plugins_datasets.reading.names import NameForm
from reid_plugins_datasets.train_only.path_labels import PathLabels, training_set
from reidcore.data import DatasetCard, OfficialCount

caviara = training_set(
    DatasetCard(
        title="CAVIAR4REID",
        folder="CAVIARa",
        layout="""\
CAVIARa/0001001.jpg    person 1, picture 1""",
        paper="Cheng et al. Custom Pictorial Structures for Re-identification. BMVC 2011",
        source="https://lorisbaz.github.io/caviar4reid.html",
        licence="not stated",
        protocol="To learn from only. Two cameras saw the people, but the names do not say "
        "which: all are camera 0.",
    ),
    PathLabels(
        NameForm(
            re.compile(r"(?P<pid>\d{4})(?P<picture>\d{3})\.jpg"),
            "0001001.jpg: person 1, picture 1",
        ),
    ),
    ".jpg",
)

lpw = training_set(
    DatasetCard(
        title="Labeled Pedestrian in the Wild",
        folder="pep_256x128",
        layout="""\
pep_256x128/    (or pep_256x128/data_slim/)
    scen1/view1/1/1.jpg    scene 1, camera 1 of it, person 1 of it, frame 1
    scen2/, scen3/""",
        paper="Song et al. Region-based Quality Estimation Network for Large-scale Person "
        "Re-identification. AAAI 2018",
        source="http://liuyu.us/dataset/lpw/index.html",
        licence="not stated",
        protocol="To learn from only, as FastReID has it: all three scenes, whose people are other "
        "people. A camera is a view of one scene; FastReID counts the views of equal number of "
        "different scenes as one camera. The column frame has the number of the file.",
    ),
    PathLabels(
        NameForm(
            re.compile(
                r"scen(?P<scene>\d)/view(?P<view>\d+)/(?P<person>\d+)/(?:[^/]*\D)?(?P<frame>\d+)\.jpg"
            ),
            "scen1/view1/1/1.jpg: scene 1, camera 1, person 1, frame 1",
        ),
        pid=("scene", "person"),
        camera=("scene", "view"),
        columns=("frame",),
    ),
    ".jpg",
    places=("data_slim", ""),
)

pes3d = training_set(
    DatasetCard(
        title="3DPeS",
        folder="3DPeS",
        layout="""\
3DPeS/
    RGB/1_....bmp    person 1; or 1/....bmp without RGB/""",
        paper="Baltieri et al. 3DPeS: 3D People Dataset for Surveillance and Forensics. "
        "J-HGBU 2011",
        source="http://www.openvisor.org/3dpes.asp",
        licence="not stated",
        protocol="To learn from only. Eight cameras saw the people, but the names do not say "
        "which: all are camera 0. What follows the person in a name could not be checked at the "
        "source, and is not read.",
    ),
    PathLabels(
        NameForm(
            re.compile(r"(?P<pid>\d+)[/_][^/]*\.bmp"),
            "1/....bmp or 1_....bmp: person 1",
        ),
    ),
    ".bmp",
    places=("RGB", ""),
)

pku = training_set(
    DatasetCard(
        title="PKU-Reid",
        folder="PKUv1a_128x48",
        layout="""\
PKUv1a_128x48/001_1_3.png    person 1, camera 1, side 3""",
        paper="Ma et al. Orientation Driven Bag of Appearances for Person Re-identification. "
        "arXiv 1605.02464, 2016",
        source="https://github.com/charliememory/PKU-Reid-Dataset",
        licence="CC BY-NC-SA 4.0",
        protocol="To learn from only. The column orientation has the side that is seen.",
        counts=(OfficialCount("train", 114, 1_824, 2),),
    ),
    PathLabels(
        NameForm(
            re.compile(r"(?P<pid>\d+)_(?P<camera>\d+)_(?P<orientation>\d+)\.png"),
            "001_1_3.png: person 1, camera 1, side 3",
        ),
        camera=("camera",),
        columns=("orientation",),
    ),
    ".png",
)

prai = training_set(
    DatasetCard(
        title="PRAI-1581",
        folder="PRAI-1581",
        layout="""\
PRAI-1581/
    images/00000001_0001_....jpg    person 1, camera 1""",
        paper="Zhang et al. Person Re-Identification in Aerial Imagery. TMM 2020",
        source="https://github.com/stormyoung/PRAI-1581",
        licence="research only, as far as known; the source has the terms",
        protocol="To learn from only, as FastReID has it; the split of its authors is not read. "
        "How many digits a field has could not be checked at the source.",
    ),
    PathLabels(
        NameForm(
            re.compile(r"(?P<pid>\d+)_(?P<camera>\d+)_[^/]*\.jpg"),
            "00000001_0001_....jpg: person 1, camera 1",
        ),
        camera=("camera",),
    ),
    ".jpg",
    places=("images",),
)

saivt = training_set(
    DatasetCard(
        title="SAIVT-SoftBio",
        folder="SAIVT-SoftBio",
        layout="""\
SAIVT-SoftBio/
    cropped_images/001/....-....-c3-.....jpeg    person 1, camera c3""",
        paper="Bialkowski et al. A Database for Person Re-identification in Multi-Camera "
        "Surveillance Networks. DICTA 2012",
        source="https://github.com/qutsaivt/SoftBioDB",
        licence="CC BY-SA 3.0 AU",
        protocol="To learn from only. The release has whole frames with boxes; the layout is "
        "that of the cut-out pictures which FastReID's reader expects, and could not be looked at.",
    ),
    PathLabels(
        NameForm(
            re.compile(r"(?P<pid>[^/]+)/[^/-]*-[^/-]*-(?P<camera>[^/.-]+)[^/]*\.jpeg"),
            "001/a-b-c3-0001.jpeg: person 001, camera c3",
        ),
        camera=("camera",),
    ),
    ".jpeg",
    places=("cropped_images",),
)

shinpuhkan = training_set(
    DatasetCard(
        title="Shinpuhkan 2014",
        folder="shinpuhkan",
        layout="""\
shinpuhkan/images/001_02_....jpg    person 1, camera 2; the folders do not matter""",
        paper="Kawanishi et al. Shinpuhkan2014: A Multi-Camera Pedestrian Dataset for "
        "Tracking People across Multiple Cameras. FCV 2014",
        source="http://www.mm.media.kyoto-u.ac.jp/en/datasets/shinpuhkan/",
        licence="not stated",
        protocol="To learn from only. The second field of a name is the camera, as Xiao et al. "
        "(CVPR 2016) read it; FastReID takes the third one for it. The release could not be looked "
        "at.",
    ),
    PathLabels(
        NameForm(
            re.compile(r"(?:[^/]+/)*(?P<pid>\d{3})_(?P<camera>\d{2})_[^/]*\.jpg"),
            "images/001_02_....jpg: person 1, camera 2",
        ),
        camera=("camera",),
    ),
    ".jpg",
)

thermalworld = training_set(
    DatasetCard(
        title="ThermalWorld (colour)",
        folder="thermalworld_rgb",
        layout="""\
thermalworld_rgb/0001/....jpg    person 1""",
        paper="Kniaz et al. ThermalGAN: Multimodal Color-to-Thermal Image Translation for "
        "Person Re-Identification in Multispectral Dataset. ECCV Workshops 2018",
        source="https://github.com/vlkniaz/ThermalGAN, as far as known",
        licence="not stated",
        protocol="To learn from only. No camera is known: all are camera 0. The layout is that "
        "which FastReID's reader expects.",
    ),
    PathLabels(
        NameForm(
            re.compile(r"(?P<pid>[^/]+)/[^/]+\.jpg"),
            "0001/....jpg: person 0001",
        ),
    ),
    ".jpg",
)

wildtrack = training_set(
    DatasetCard(
        title="WILDTRACK (cut out)",
        folder="Wildtrack_crop_dataset",
        layout="""\
Wildtrack_crop_dataset/
    crop/0/C1_....png    person 0, camera C1""",
        paper="Chavdarova et al. WILDTRACK: A Multi-camera HD Dataset for Dense Unscripted "
        "Pedestrian Detection. CVPR 2018",
        source="https://www.epfl.ch/labs/cvlab/data/data-wildtrack/",
        licence="not stated here: the source has the terms",
        protocol="To learn from only. The seven cameras look at one place at the same time. The "
        "layout and the sizes are those of the cut-out pictures which FastReID's reader expects.",
        counts=(OfficialCount("train", 313, 33_979, 7),),
    ),
    PathLabels(
        NameForm(
            re.compile(r"(?P<pid>[^/]+)/(?P<camera>[^/_]+)_[^/]*\.png"),
            "0/C1_....png: person 0, camera C1",
        ),
        camera=("camera",),
    ),
    ".png",
    places=("crop",),
)
