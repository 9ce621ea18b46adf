"""Create miniature, layout-faithful copies of re-identification benchmarks.

    python make_trees.py OUT [--seed N] [--only NAME[,NAME...]] [--splits DIR] [--list]

Every maker writes a tiny but structurally complete copy of one benchmark below OUT: the same
folders, the same file-name fields, the same side files (.mat, .txt, .xml, .json), filled with small
random pictures that are all different.  Identities, cameras, frame numbers and hence file names
depend on the seed; the layout does not.  For one seed the output is bit-identical from run to run
(same Pillow / h5py / scipy).

Folder names are those Torchreid expects below its `root` (for the sets Torchreid lacks: those
FastReID or the sets' own loaders expect).  Alternative layouts of a set that cannot live next to
the main one go below OUT/alt/<variant>/ and are makers of their own (`msmt17_v2`, ...).

No real image and no real annotation is contained or needed.  Needs numpy and Pillow; scipy for
.mat (v5) files and h5py for the CUHK03 (v7.3) file.

--splits DIR puts Torchreid's otherwise random split files back: each DIR/*.json is written to the
place its "path" field names, with {ROOT} in its text replaced by the absolute OUT.
"""
import argparse
import io
import json
import os
import sys
import zipfile
import zlib
from pathlib import Path

import numpy as np
from PIL import Image

MAKERS = {}


def maker(fn):
    MAKERS[fn.__name__] = fn
    return fn


# --------------------------------------------------------------------------------------------------
# helpers
# --------------------------------------------------------------------------------------------------
class Tree:
    """Writes files below a root, counts them, and owns the random stream of one maker."""

    def __init__(self, root, name, seed):
        self.root = Path(root)
        self.name, self.seed = name, seed
        self.rng = np.random.default_rng([seed, zlib.crc32(name.encode())])
        self.counts = {}
        self.seen = set()

    def _note(self, rel):
        folder = str(Path(rel).parent)
        self.counts[folder] = self.counts.get(folder, 0) + 1

    def path(self, rel):
        p = self.root / rel
        p.parent.mkdir(parents=True, exist_ok=True)
        return p

    def pixels(self, w, h):
        while True:
            a = self.rng.integers(0, 256, (h, w, 3), dtype=np.uint8)
            key = a.tobytes()
            if key not in self.seen:
                self.seen.add(key)
                return a

    def image(self, rel, w=16, h=32):
        """A random picture; the format follows the extension."""
        if rel in self.counts.setdefault("__files__", set()):
            raise RuntimeError(f"{self.name}: {rel} written twice")
        self.counts["__files__"].add(rel)
        self._note(rel)
        im = Image.fromarray(self.pixels(w, h))
        ext = rel.rsplit(".", 1)[1].lower()
        kw = {"quality": 95, "subsampling": 0} if ext in ("jpg", "jpeg") else {}
        im.save(self.path(rel), **kw)

    def copy(self, src, dst):
        self._note(dst)
        self.path(dst).write_bytes((self.root / src).read_bytes())

    def text(self, rel, content, encoding="utf-8"):
        self._note(rel)
        self.path(rel).write_bytes(content.encode(encoding))

    def mat(self, rel, content):
        """A MATLAB v5 file with a fixed header, so that the bytes repeat."""
        from scipy.io import savemat
        buf = io.BytesIO()
        savemat(buf, content, do_compression=True, oned_as="row")
        raw = bytearray(buf.getvalue())
        head = b"MATLAB 5.0 MAT-file, Platform: GLNXA64, Created on: Thu Jan  1 00:00:00 1970"
        raw[:116] = head.ljust(116)
        self._note(rel)
        self.path(rel).write_bytes(raw)

    # random picks -------------------------------------------------------------------------------
    def ints(self, lo, hi, n):
        """n distinct sorted integers in [lo, hi]."""
        return sorted(int(x) for x in self.rng.choice(np.arange(lo, hi + 1), n, replace=False))

    def one(self, lo, hi):
        return int(self.rng.integers(lo, hi + 1))

    def pick(self, seq):
        return seq[int(self.rng.integers(0, len(seq)))]

    def some(self, seq, n):
        """n distinct members of seq, in seq's order."""
        idx = sorted(int(i) for i in self.rng.choice(len(seq), n, replace=False))
        return [seq[i] for i in idx]

    def shuffled(self, seq):
        return [seq[int(i)] for i in self.rng.permutation(len(seq))]

    def report(self):
        files = self.counts.pop("__files__", set())
        total = sum(self.counts.values())
        print(f"{self.name}: {total} files ({len(files)} distinct images) below {self.root}")
        for folder in sorted(self.counts)[:12]:
            print(f"    {folder}/  {self.counts[folder]}")
        if len(self.counts) > 12:
            print(f"    ... and {len(self.counts) - 12} more folders")


# --------------------------------------------------------------------------------------------------
# Market-1501 family
# --------------------------------------------------------------------------------------------------
def _market_name(t, pid, cam, box):
    tag = "-1" if pid == -1 else f"{pid:04d}"
    return f"{tag}_c{cam}s{t.one(1, 6)}_{t.one(1, 125000):06d}_{box:02d}.jpg"


def _market_tree(t, base):
    pids = t.ints(2, 1500, 11)
    test = sorted(t.some(pids, 5) + [1501])          # 1501 is the largest id that exists
    train = [p for p in pids if p not in test]
    for pid in train:
        for cam in t.some(range(1, 7), t.one(2, 4)):
            for k in range(t.one(1, 3)):
                t.image(f"{base}/bounding_box_train/" + _market_name(t, pid, cam, k + 1))
    for pid in test:
        for cam in t.some(range(1, 7), t.one(2, 4)):
            q = _market_name(t, pid, cam, 0)
            t.image(f"{base}/query/" + q)
            t.mat(f"{base}/gt_query/" + q[:-4] + "_good.mat", {"good_index": np.array([[1, 2]], np.uint16)})
            t.mat(f"{base}/gt_query/" + q[:-4] + "_junk.mat", {"junk_index": np.array([[3]], np.uint16)})
            t.image(f"{base}/gt_bbox/" + q)
            for k in range(t.one(1, 3)):
                t.image(f"{base}/bounding_box_test/" + _market_name(t, pid, cam, k + 1))
    for _ in range(6):
        t.image(f"{base}/bounding_box_test/" + _market_name(t, 0, t.one(1, 6), t.one(1, 9)))
    for _ in range(5):
        t.image(f"{base}/bounding_box_test/" + _market_name(t, -1, t.one(1, 6), t.one(1, 9)))
    for d in ("bounding_box_test", "bounding_box_train", "query", "gt_bbox"):
        t.text(f"{base}/{d}/Thumbs.db", "not an image\n")
    t.text(f"{base}/readme.txt", "Miniature stand-in for Market-1501-v15.09.15.\n")
    return train, test


@maker
def market1501(t):
    """Market-1501 with the 500k distractors.

    market1501/Market-1501-v15.09.15/{bounding_box_train,bounding_box_test,query,gt_bbox,gt_query}/
    and images/ (the contents of distractors_500k.zip).

    PPPP_cCsS_FFFFFF_BB.jpg: PPPP person 1-based (0001..1501; 0000 = background/distractor in
    bounding_box_test; the literal -1 = junk, a box too bad to be scored); C camera 1..6; S the
    sequence of that camera; FFFFFF frame in the sequence; BB number of the box in the frame, 00 for
    a hand-drawn box (all queries) and 01.. for detector boxes.  gt_bbox holds the hand-drawn boxes,
    gt_query one *_good.mat and one *_junk.mat per query.  The archive carries a Thumbs.db in its
    picture folders.  The names inside images/ are not documented by the loaders beyond matching the
    same pattern; here they carry id 0000, a few -1.

    Mini: 6 train ids, 6 test ids (1501 always among them), 6 distractor and 5 junk boxes.
    """
    base = "market1501/Market-1501-v15.09.15"
    _market_tree(t, base)
    for k in range(9):
        t.image(f"{base}/images/" + _market_name(t, -1 if k > 6 else 0, t.one(1, 6), k))


@maker
def market1501_flat(t):
    """Market-1501 in the deprecated layout: the picture folders directly below market1501/.

    Lives in alt/market1501_flat/, no images/ folder (so asking for 500k must fail).
    """
    _market_tree(t, "alt/market1501_flat/market1501")


def _duke_name(t, pid, cam):
    return f"{pid:04d}_c{cam}_f{t.one(1, 370000):07d}.jpg"


def _duke_tree(t, base, extra=()):
    pids = t.ints(1, 7140, 15)                       # real ids run to 7140 with large gaps
    sh = t.shuffled(pids)
    train, test, distract = sorted(sh[:6]), sorted(sh[6:12]), sorted(sh[12:])
    for pid in train:
        for cam in t.some(range(1, 9), t.one(2, 4)):
            for _ in range(t.one(1, 3)):
                t.image(f"{base}/bounding_box_train/" + _duke_name(t, pid, cam))
    for pid in test:
        for cam in t.some(range(1, 9), t.one(2, 3)):
            t.image(f"{base}/query/" + _duke_name(t, pid, cam))
            for _ in range(t.one(1, 3)):
                t.image(f"{base}/bounding_box_test/" + _duke_name(t, pid, cam))
    for pid in distract:                             # one camera only, gallery only
        cam = t.one(1, 8)
        for _ in range(t.one(1, 3)):
            t.image(f"{base}/bounding_box_test/" + _duke_name(t, pid, cam))
    for name in ("CITATION.txt", "LICENSE_DukeMTMC.txt", "LICENSE_DukeMTMC-reID.txt", "README.md", *extra):
        t.text(f"{base}/{name}", "Miniature stand-in.\n")
    return train, test, distract


@maker
def dukemtmcreid(t):
    """DukeMTMC-reID.

    dukemtmc-reid/DukeMTMC-reID/{bounding_box_train,bounding_box_test,query}/

    PPPP_cC_fFFFFFFF.jpg: PPPP person (numbers with gaps, up to 7140), C camera 1..8, F frame.
    No background or junk tag; distractors are ordinary ids seen by one camera, gallery only.

    Mini: 6 train ids, 6 test ids, 3 distractor ids.
    """
    _duke_tree(t, "dukemtmc-reid/DukeMTMC-reID")


@maker
def occluded_duke(t):
    """Occluded-Duke: DukeMTMC-reID re-split so that every query is occluded.

    Occluded_Duke/{bounding_box_train,bounding_box_test,query}/ with DukeMTMC-reID's file names.

    Mini: as dukemtmcreid.
    """
    _duke_tree(t, "Occluded_Duke")


# --------------------------------------------------------------------------------------------------
# CUHK
# --------------------------------------------------------------------------------------------------
@maker
def cuhk03(t):
    """CUHK03: one HDF5 (MATLAB v7.3) file plus two split files of the 767/700 protocol.

    cuhk03/cuhk03_release/cuhk-03.mat, cuhk03/cuhk03_new_protocol_config_{detected,labeled}.mat

    cuhk-03.mat (MATLAB view): `detected` and `labeled` are 5x1 cells, one per camera pair; each is
    an M x 10 cell, one row per person of the pair; columns 1-5 are pictures of the first view,
    6-10 of the second; a cell is an H x W x 3 uint8 picture or [] where none exists.  `testsets` is
    a 20x1 cell of n x 2 doubles: (pair, person) rows, both 1-based, of the test ids of each classic
    split.  On disk (HDF5) every array is stored with its axes reversed: cells are datasets of object
    references into /#refs#, shapes (1,5), (10,M), (1,20); pictures (3,W,H); testsets (2,n); an empty
    cell points at a 2-element uint64 dataset with the MATLAB_empty attribute.

    new-protocol files (MATLAB v5, columns): filelist (cell of names), labels (uint16, running
    person number over all pairs, 1-based), camId (uint8, 1 or 2), train_idx, query_idx, gallery_idx
    (uint16, 1-based into filelist).  File names P_NNN_V_II.png: P pair 1..5, NNN person inside the
    pair 1-based, V view 1 or 2, II column 01..10 (so 06..10 is view 2).

    Mini: 17 persons in pairs of 6,4,3,2,2; two persons with one view only (in training);
    4 test persons per classic split; new split 9 train / 8 test ids; 20 classic splits.
    """
    import h5py
    sizes = [6, 4, 3, 2, 2]
    persons = [(p, n) for p, m in enumerate(sizes, 1) for n in range(1, m + 1)]
    label = {pn: i for i, pn in enumerate(persons, 1)}
    one_view = set(t.some([pn for pn in persons if pn[0] in (1, 4)], 2))
    both = [pn for pn in persons if pn not in one_view]
    have = {}
    for kind in ("detected", "labeled"):
        for pn in persons:
            cols = sorted(t.some(range(1, 6), t.one(2, 5)) + t.some(range(6, 11), t.one(2, 5)))
            if pn in one_view:
                cols = [c for c in cols if c <= 5]
            have[kind, pn] = cols

    path = t.path("cuhk03/cuhk03_release/cuhk-03.mat")
    t._note("cuhk03/cuhk03_release/cuhk-03.mat")
    with h5py.File(path, "w", userblock_size=512, libver="earliest") as f:
        refs = f.create_group("#refs#")
        number = [0]

        def put(data, cls, **attrs):
            number[0] += 1
            d = refs.create_dataset(f"r{number[0]:05d}", data=data)
            d.attrs["MATLAB_class"] = np.bytes_(cls)
            for k, v in attrs.items():
                d.attrs[k] = v
            return d.ref

        def cell(parent, name, grid):
            a = np.empty(grid.shape, dtype=object)
            a[...] = grid
            d = parent.create_dataset(name, shape=grid.shape, dtype=h5py.ref_dtype)
            for ij in np.ndindex(*grid.shape):
                d[ij] = a[ij]
            d.attrs["MATLAB_class"] = np.bytes_("cell")
            return d

        def grid_of(shape):
            return np.empty(shape, dtype=object)

        def cell_ref(grid):
            number[0] += 1
            return cell(refs, f"r{number[0]:05d}", grid).ref

        for kind in ("detected", "labeled"):
            top = grid_of((1, 5))
            for p, m in enumerate(sizes, 1):
                g = grid_of((10, m))
                for n in range(1, m + 1):
                    for c in range(1, 11):
                        if c in have[kind, (p, n)]:
                            pic = t.pixels(t.one(10, 16), t.one(24, 32))       # h, w, 3
                            g[c - 1, n - 1] = put(np.ascontiguousarray(pic.T), "uint8")
                        else:
                            g[c - 1, n - 1] = put(np.zeros(2, np.uint64), "double",
                                                  MATLAB_empty=np.uint8(1))
                top[0, p - 1] = cell_ref(g)
            cell(f, kind, top)
        tests = grid_of((1, 20))
        for s in range(20):
            rows = t.some([pn for pn in both if pn[0] <= 3], 4)
            tests[0, s] = put(np.array(rows, np.float64).T.copy(), "double")
        cell(f, "testsets", tests)
    with open(path, "r+b") as fh:                    # the 512-byte user block of a v7.3 file
        head = b"MATLAB 7.3 MAT-file, Platform: GLNXA64, Created on: Thu Jan  1 00:00:00 1970 HDF5 schema 1.00 ."
        fh.write(head.ljust(124) + b"\x00\x02IM")
    t.text("cuhk03/cuhk03_release/README.md", "Miniature stand-in.\n")

    test = set(t.some(both, 8))
    for kind in ("detected", "labeled"):
        names, labels, cams, tr, qu, ga = [], [], [], [], [], []
        for pn in persons:
            first = len(names) + 1
            for c in have[kind, pn]:
                v = 1 if c <= 5 else 2
                names.append(f"{pn[0]}_{pn[1]:03d}_{v}_{c:02d}.png")
                labels.append(label[pn])
                cams.append(v)
            here = list(range(first, len(names) + 1))
            if pn in test:
                q = [t.pick([i for i in here if cams[i - 1] == v]) for v in (1, 2)]
                qu += q
                ga += [i for i in here if i not in q]
            else:
                tr += here
        col = lambda x, dt: np.array(x, dt).reshape(-1, 1)
        fl = np.empty((len(names), 1), dtype=object)
        fl[:, 0] = names
        t.mat(f"cuhk03/cuhk03_new_protocol_config_{kind}.mat", {
            "camId": col(cams, np.uint8), "filelist": fl, "labels": col(labels, np.uint16),
            "query_idx": col(qu, np.uint16), "gallery_idx": col(ga, np.uint16),
            "train_idx": col(tr, np.uint16)})
    t.counts["__files__"] = set(range(len(t.seen)))


def _cuhk01_images(t, put):
    for pid in range(1, 12):
        for k in range(1, 5):
            put(f"campus/{pid:04d}{k:03d}.png")


@maker
def cuhk01(t):
    """CUHK01 (extracted).

    cuhk01/campus/PPPPKKK.png: PPPP person 1-based without gaps (0001..0971), KKK picture 001..004;
    001 and 002 are view A, 003 and 004 view B.

    Mini: 11 persons (an odd number, so that halving is seen to round down) x 4.
    """
    _cuhk01_images(t, lambda rel: t.image("cuhk01/" + rel))


@maker
def cuhk01_zip(t):
    """CUHK01 as downloaded: alt/cuhk01_zip/cuhk01/CUHK01.zip, which holds campus/*.png."""
    rel = "alt/cuhk01_zip/cuhk01/CUHK01.zip"
    t._note(rel)
    with zipfile.ZipFile(t.path(rel), "w") as z:
        def put(name):
            buf = io.BytesIO()
            Image.fromarray(t.pixels(16, 32)).save(buf, format="PNG")
            z.writestr(zipfile.ZipInfo(name, (2015, 1, 1, 0, 0, 0)), buf.getvalue())
        _cuhk01_images(t, put)


@maker
def cuhk02(t):
    """CUHK02.

    cuhk02/Dataset/P{1..5}/cam{1,2}/*.png.  The part of a name before the first underscore is the
    person, 1-based and counted per pair folder: the same number in two P folders is two persons.
    (Only that prefix is used by loaders; the rest of the official name could not be checked, here it
    is _K.)  Two pictures per person and camera.

    Mini: 4,3,3,2,5 persons in P1..P5; one person of P2 is missing from cam2.
    """
    for p, m in zip(range(1, 6), (4, 3, 3, 2, 5)):
        for j, pid in enumerate(t.ints(1, 40, m)):
            for cam in (1,) if (p, j) == (2, 0) else (1, 2):
                for k in (1, 2):
                    t.image(f"cuhk02/Dataset/P{p}/cam{cam}/{pid:03d}_{k}.png")


@maker
def cuhksysu(t):
    """CUHK-SYSU cut into person crops, for training only.

    cuhksysu/cropped_images/pP_sS_I.jpg: P person (not padded), S scene picture it was cut from, I a
    counter.  No camera.

    Mini: 6 persons, 2-4 crops each.
    """
    for pid in t.ints(1, 11934, 6):
        for k, s in enumerate(t.ints(1, 18184, t.one(2, 4)), 1):
            t.image(f"cuhksysu/cropped_images/p{pid}_s{s}_{k}.jpg")


# --------------------------------------------------------------------------------------------------
# MSMT17
# --------------------------------------------------------------------------------------------------
def _msmt(t, base, train_dir, test_dir, ntrain, ntest):
    def name(pid, k, cam):
        return (f"{pid:04d}/{pid:04d}_{k:03d}_{cam:02d}_{t.pick(['0113', '0114', '0302', '0303'])}"
                f"{t.pick(['morning', 'noon', 'afternoon'])}_{t.one(1, 2400):04d}_{t.one(0, 9)}.jpg")

    lists = {"train": [], "val": [], "query": [], "gallery": []}
    for split, n, folder in (("train", ntrain, train_dir), ("test", ntest, test_dir)):
        for pid in range(n):
            k = 0
            for cam in t.some(range(1, 16), t.one(2, 4)):
                for j in range(t.one(2, 3)):
                    rel = name(pid, k, cam)
                    t.image(f"{base}/{folder}/{rel}")
                    if split == "train":
                        which = "val" if k % 4 == 3 else "train"
                    else:
                        which = "query" if j == 0 else "gallery"
                    lists[which].append(f"{rel} {pid}\n")
                    k += 1
    for which, lines in lists.items():
        t.text(f"{base}/list_{which}.txt", "".join(lines))


@maker
def msmt17(t):
    """MSMT17 V1.

    msmt17/MSMT17_V1/{train,test}/PPPP/PPPP_III_CC_DDDDpart_TTTT_B.jpg and list_{train,val,query,
    gallery}.txt; a list line is "PPPP/name.jpg pid".

    PPPP person, 0-based, contiguous, counted from 0 in train and again from 0 in test (so the two
    ranges overlap and mean different people); III picture of the person, 0-based; CC camera 01..15;
    DDDD date and part of day (morning, noon, afternoon); TTTT time/track number; B box.  val lists
    further pictures of train/ persons and is normally left out of training.

    Mini: 6 train persons, 5 test persons.
    """
    _msmt(t, "msmt17/MSMT17_V1", "train", "test", 6, 5)


@maker
def msmt17_v2(t):
    """MSMT17 V2 (faces masked): alt/msmt17_v2/msmt17/MSMT17_V2/{mask_train_v2,mask_test_v2}.

    Same lists and names as V1, other folder names.  If V1 and V2 lie side by side Torchreid takes V1.
    """
    _msmt(t, "alt/msmt17_v2/msmt17/MSMT17_V2", "mask_train_v2", "mask_test_v2", 5, 4)


# --------------------------------------------------------------------------------------------------
# small two-camera sets
# --------------------------------------------------------------------------------------------------
@maker
def viper(t):
    """VIPeR.

    viper/VIPeR/{cam_a,cam_b}/NNN_ANGLE.bmp: NNN person, 0-based with gaps (000..873, 632 of them),
    one picture per camera; ANGLE viewing angle in degrees, not padded, usually different between the
    cameras - so the two names of a person share only the number.

    Mini: 31 persons (no class asserts 632; odd so that halving rounds down), 8x16 pixels.
    """
    for pid in [0] + t.ints(1, 873, 30):
        a = t.pick([0, 45, 90, 135])
        t.image(f"viper/VIPeR/cam_a/{pid:03d}_{a}.bmp", 8, 16)
        t.image(f"viper/VIPeR/cam_b/{pid:03d}_{t.pick([x for x in (0, 45, 90, 135, 180) if x != a])}.bmp", 8, 16)
    t.text("viper/VIPeR/README.txt", "Miniature stand-in.\n")


@maker
def grid(t):
    """QMUL underground re-identification (GRID).

    grid/underground_reid/{probe,gallery}/PPPP_C_F_X_Y_W_H.jpeg and features_and_partitions.mat

    PPPP person 1-based 0001..0250; 0000 (gallery only) = a person without a probe; C camera 1..8,
    F frame, then four numbers of the box.  In the .mat, trainIdxAll is a 1x10 cell; each entry is a
    1x1 struct whose THIRD field holds the 125 training person numbers as a row (loaders index the
    field by position; the official field names could not be checked, the ones here are stand-ins).

    Mini: all 250 persons (the loader asserts 125 training ids), 20 distractors instead of 775,
    8x16 pixels; no feature matrix.
    """
    def name(pid, cam):
        return f"{pid:04d}_{cam}_{t.one(20000, 40000)}_{t.one(1, 300)}_{t.one(1, 200)}_{t.one(60, 130)}_{t.one(160, 330)}.jpeg"

    for pid in range(1, 251):
        a, b = t.some(range(1, 9), 2)
        t.image("grid/underground_reid/probe/" + name(pid, a), 8, 16)
        t.image("grid/underground_reid/gallery/" + name(pid, b), 8, 16)
    for _ in range(20):
        t.image("grid/underground_reid/gallery/" + name(0, t.one(1, 8)), 8, 16)
    cells = np.empty((1, 10), dtype=object)
    for s in range(10):
        ids = np.array(t.ints(1, 250, 125), np.uint8)
        cells[0, s] = {"probe_rows": ids, "gallery_rows": ids.copy(),
                       "person": np.array(t.shuffled(list(ids)), np.uint8)}
    t.mat("grid/underground_reid/features_and_partitions.mat", {"trainIdxAll": cells})
    t.text("grid/underground_reid/README.txt", "Miniature stand-in.\n")


@maker
def ilids(t):
    """QMUL i-LIDS (the 119-person picture set).

    ilids/i-LIDS_Pedestrian/Persons/PPPPNNN.jpg: PPPP person 0001..0119, NNN the picture's number
    inside the person, 001... There is no camera field.

    Full counts, because the loader asserts 119 persons and 476 pictures; 2-8 each, 8x16 pixels.
    """
    n = [2] * 119
    while sum(n) < 476:
        i = t.one(0, 118)
        if n[i] < 8:
            n[i] += 1
    for pid, m in enumerate(n, 1):
        for k in range(1, m + 1):
            t.image(f"ilids/i-LIDS_Pedestrian/Persons/{pid:04d}{k:03d}.jpg", 8, 16)


@maker
def prid(t):
    """PRID 2011, single-shot half.

    prid2011/prid_2011/single_shot/{cam_a,cam_b}/person_NNNN.png: 0001..0385 in cam_a, 0001..0749 in
    cam_b.  0001..0200 are the same people in both; 0201.. in cam_a and 0201.. in cam_b are NOT.

    Full counts, because the loader builds names from these ranges; 4x8 pixels.
    """
    for cam, n in (("cam_a", 385), ("cam_b", 749)):
        for pid in range(1, n + 1):
            t.image(f"prid2011/prid_2011/single_shot/{cam}/person_{pid:04d}.png", 4, 8)
    t.text("prid2011/prid_2011/readme.txt", "Miniature stand-in.\n")


@maker
def sensereid(t):
    """SenseReID, for testing only.

    sensereid/SenseReID/{test_probe,test_gallery}/P_C.jpg: P person, C camera, taken as it stands
    (0-based or not: loaders subtract nothing).  Padding of the official names could not be checked.

    Mini: 5 probe persons x 2, all of them and 4 more in the gallery x 2.
    """
    pids = t.ints(0, 1716, 9)
    probe = t.some(pids, 5)
    for pid in pids:
        cams = t.shuffled([0, 1, 2, 3])
        if pid in probe:
            for c in cams[:2]:
                t.image(f"sensereid/SenseReID/test_probe/{pid:05d}_{c}.jpg")
        for c in cams[2:]:
            t.image(f"sensereid/SenseReID/test_gallery/{pid:05d}_{c}.jpg")


@maker
def university1652(t):
    """University-1652: buildings seen by drone, satellite and street cameras.

    university1652/University-Release/train/{drone,satellite,street,google}/BBBB/* and
    test/{query_drone,query_satellite,query_street,gallery_drone,gallery_satellite,gallery_street,
    4K_drone}/BBBB/*.  The folder BBBB is the building (4 digits, from 0000).  drone: image-NN.jpeg,
    satellite: BBBB.jpg, street: N.jpg, google: web pictures with free names, several extensions.
    No camera number exists.

    Mini: 4 train buildings, 3 query buildings, 5 gallery buildings; a text file among the pictures.
    """
    b = "university1652/University-Release"
    ids = t.ints(0, 1651, 9)
    sh = t.shuffled(ids)
    train, test = sorted(sh[:4]), sorted(sh[4:])
    query = t.some(test, 3)

    def views(folder, i, kind):
        d = f"{b}/{folder}/{i:04d}"
        if kind == "drone":
            for k in t.ints(1, 54, t.one(2, 4)):
                t.image(f"{d}/image-{k:02d}.jpeg", 16, 16)
        elif kind == "satellite":
            t.image(f"{d}/{i:04d}.jpg", 16, 16)
        elif kind == "street":
            for k in range(1, t.one(1, 3) + 1):
                t.image(f"{d}/{k}.jpg", 16, 16)
        else:
            for k in range(t.one(1, 2)):
                t.image(f"{d}/{t.one(10**6, 10**7)}{k}.{t.pick(['jpg', 'JPG', 'png'])}", 16, 16)

    for i in train:
        for kind in ("drone", "satellite", "street", "google"):
            views(f"train/{kind}", i, kind)
    for i in query:
        for kind in ("drone", "satellite", "street"):
            views(f"test/query_{kind}", i, kind)
        views("test/4K_drone", i, "drone")
    for i in test:
        for kind in ("drone", "satellite", "street"):
            views(f"test/gallery_{kind}", i, kind)
    t.text(f"{b}/train/drone/{train[0]:04d}/notes.txt", "not an image\n")
    t.text(f"{b}/readme.txt", "Miniature stand-in.\n")


# --------------------------------------------------------------------------------------------------
# video
# --------------------------------------------------------------------------------------------------
@maker
def mars(t):
    """MARS.

    mars/bbox_train/PPPP/, mars/bbox_test/PPPP/, mars/info/{train_name.txt, test_name.txt,
    tracks_train_info.mat, tracks_test_info.mat, query_IDX.mat}

    PPPPcCTtttttFfff: PPPP person (four characters: 0001.., 0000 = distractor, the folder and prefix
    "00-1" = junk), then C + camera 1..6, T + 4-digit track number of that person and camera, F +
    3-digit frame in the track: 0001C1T0001F001.jpg.  *_name.txt lists the names of a half in order.
    track_train_info / track_test_info (int32, n x 4): first and last line of the track in the name
    list (1-based, inclusive), person (-1 junk, 0 distractor), camera 1..6.  query_IDX (uint16, 1 x
    n): 1-based rows of track_test_info that are queries; the other rows are the gallery, -1 left out.

    Mini: 5 train ids, 5 test ids, 2 junk and 3 distractor tracks; one query id has no other track
    (officially 14 such ids).  The official test list starts with the junk.
    """
    def half(name, groups):
        names, rows = [], []
        for tag, pid, tracks in groups:
            per_cam = {}
            for cam in tracks:
                per_cam[cam] = per_cam.get(cam, 0) + 1
                first = len(names) + 1
                for f in range(1, t.one(2, 6) + 1):
                    n = f"{tag}C{cam}T{per_cam[cam]:04d}F{f:03d}.jpg"
                    t.image(f"mars/bbox_{name}/{tag}/{n}")
                    names.append(n)
                rows.append([first, len(names), pid, cam])
        t.text(f"mars/info/{name}_name.txt", "".join(n + "\n" for n in names))
        arr = np.array(rows, np.int32)
        t.mat(f"mars/info/tracks_{name}_info.mat", {f"track_{name}_info": arr})
        return arr

    ids = t.shuffled(t.ints(1, 1500, 10))
    train, test = sorted(ids[:5]), sorted(ids[5:])

    def tracks(n):
        return sorted(t.some(range(1, 7), n) + [t.one(1, 6) for _ in range(t.one(0, 2))])

    half("train", [(f"{p:04d}", p, tracks(t.one(2, 3))) for p in train])
    lonely = test[-1]
    groups = [("00-1", -1, sorted(t.one(1, 6) for _ in range(2))),
              ("0000", 0, sorted(t.one(1, 6) for _ in range(3)))]
    groups += [(f"{p:04d}", p, [t.one(1, 6)] if p == lonely else tracks(3)) for p in test]
    arr = half("test", groups)
    query, seen = [], set()
    for i, (_, _, pid, cam) in enumerate(arr.tolist()):
        if pid > 0 and (pid, cam) not in seen:
            seen.add((pid, cam))
            rest = [r for r in arr.tolist() if r[2] == pid]
            if pid == lonely or len([c for p, c in seen if p == pid]) < len({r[3] for r in rest}):
                query.append(i + 1)                   # leaves at least one camera to the gallery
    t.mat("mars/info/query_IDX.mat", {"query_IDX": np.array([query], np.uint16)})


@maker
def ilidsvid(t):
    """iLIDS-VID.

    ilids-vid/i-LIDS-VID/sequences/cam{1,2}/personNNN/camC_personNNN_FFFFF.png, the single pictures
    ilids-vid/i-LIDS-VID/images/cam{1,2}/personNNN/camC_personNNN.png, and
    "ilids-vid/train-test people splits/train_test_splits_ilidsvid.mat"

    NNN person, 1-based with gaps (001..319, 300 of them), the same set in both cameras; FFFFF frame
    of the source video (does not start at 1).  ls_set in the .mat: 10 x 300, each row a permutation
    of 1..300 that counts positions in the sorted person folders (not person numbers); the first 150
    of a row are the test half, the last 150 the training half.

    300 persons, because the loader asserts it; 1-3 frames per sequence instead of 23..192, 4x8 px.
    """
    b = "ilids-vid/i-LIDS-VID"
    for pid in t.ints(1, 319, 300):
        for cam in (1, 2):
            start = t.one(1, 9000)
            for k in range(t.one(1, 3)):
                t.image(f"{b}/sequences/cam{cam}/person{pid:03d}/cam{cam}_person{pid:03d}_{start + k:05d}.png", 4, 8)
            t.image(f"{b}/images/cam{cam}/person{pid:03d}/cam{cam}_person{pid:03d}.png", 4, 8)
    perms = np.stack([t.rng.permutation(300) + 1 for _ in range(10)]).astype(np.uint16)
    t.mat("ilids-vid/train-test people splits/train_test_splits_ilidsvid.mat", {"ls_set": perms})
    t.text("ilids-vid/train-test people splits/README.txt", "Miniature stand-in.\n")


@maker
def prid2011(t):
    """PRID 2011, multi-shot half, with the split file of the iLIDS-VID protocol.

    prid2011/prid_2011/multi_shot/{cam_a,cam_b}/person_NNNN/KKKK.png and
    prid2011/splits_prid2011.json

    person_0001..0200 are in both cameras, higher numbers are different people per camera; KKKK frame
    from 0001.  The JSON is a list of 10 {"train": [...], "test": [...]} with folder names; only
    people with more than 21 frames in both cameras are used (178, 89 + 89).

    Mini: 9 usable people (4 train / 5 test per split), 2 shared people too short in one camera, 1
    too short in both, 2 people only in cam_a, 3 only in cam_b; 22-26 frames, 4x8 pixels.
    """
    b = "prid2011/prid_2011/multi_shot"
    shared = t.shuffled(t.ints(1, 200, 12))
    good, short_a, short_b, tiny = sorted(shared[:9]), shared[9], shared[10], shared[11]

    def seq(cam, pid, n):
        for k in range(1, n + 1):
            t.image(f"{b}/{cam}/person_{pid:04d}/{k:04d}.png", 4, 8)

    for pid in sorted(shared):
        seq("cam_a", pid, t.one(22, 26) if pid not in (short_a, tiny) else t.one(5, 21))
        seq("cam_b", pid, t.one(22, 26) if pid not in (short_b, tiny) else t.one(5, 21))
    both_tags = t.ints(201, 385, 2)
    for pid in both_tags:
        seq("cam_a", pid, t.one(5, 25))
    for pid in sorted({both_tags[0]} | set(t.ints(386, 749, 2))):   # same number, another person
        seq("cam_b", pid, t.one(5, 25))
    splits = []
    for _ in range(10):
        sh = t.shuffled([f"person_{p:04d}" for p in good])
        splits.append({"train": sorted(sh[:4]), "test": sorted(sh[4:])})
    t.text("prid2011/splits_prid2011.json", json.dumps(splits, indent=4))


def _dukevid(t, base, style):
    sh = t.shuffled(t.ints(1, 7140, 11))
    train, test, distract = sorted(sh[:4]), sorted(sh[4:9]), sorted(sh[9:])

    def track(part, pid, number, cam, n, first):
        x = t.one(1, 300000)
        for k in range(first, first + n):
            sep = "_" if style == "new" else ""
            t.image(f"{base}/{part}/{pid:04d}/{number:04d}/{pid:04d}{sep}C{cam}{sep}F{k:04d}{sep}X{x + 12 * k:05d}.jpg")

    number = t.one(1, 50)
    for part, ids in (("train", train), ("test", test), ("distract", distract)):
        for j, pid in enumerate(ids):
            cams = t.some(range(1, 9), 1 if part == "distract" else t.one(2, 4))
            for i, cam in enumerate(cams):
                number += t.one(1, 9)
                folder = {"train": "train", "distract": "gallery", "test": "query" if i == 0 else "gallery"}[part]
                late = i == 1 and j in (0, 2)         # some tracks start at F0002
                track(folder, pid, number, cam, t.one(2, 7), 2 if late else 1)
    for name in ("README.txt", "LICENSE_DukeMTMC.txt"):
        t.text(f"{base}/{name}", "Miniature stand-in.\n")


@maker
def dukemtmcvidreid(t):
    """DukeMTMC-VideoReID, present naming.

    dukemtmc-vidreid/DukeMTMC-VideoReID/{train,query,gallery}/PPPP/TTTT/PPPP_CC_FFFFF_XXXXXX.jpg,
    e.g. 7140_C2_F0044_X200413.jpg: PPPP person (folder and prefix), TTTT track folder, C camera
    1..8, F number of the frame inside the track (normally from 0001; some tracks start at 0002),
    X frame in the source video.  The gallery holds extra one-camera people as distractors.

    Mini: 4 train ids, 5 test ids (one query track each), 2 distractor ids; 2-7 frames per track.
    """
    _dukevid(t, "dukemtmc-vidreid/DukeMTMC-VideoReID", "new")


@maker
def dukemtmcvidreid_old(t):
    """DukeMTMC-VideoReID, naming before July 2018 (no underscores): 0001C6F0099X30823.jpg.

    In alt/dukemtmcvidreid_old/.
    """
    _dukevid(t, "alt/dukemtmcvidreid_old/dukemtmc-vidreid/DukeMTMC-VideoReID", "old")


# --------------------------------------------------------------------------------------------------
# vehicles
# --------------------------------------------------------------------------------------------------
@maker
def veri(t):
    """VeRi-776.

    veri/{image_train,image_query,image_test}/VVVV_cCCC_TTTTTTTT_K.jpg, name_{train,query,test}.txt,
    test_track.txt, {train,test}_label.xml (gb2312), gt_index.txt, jk_index.txt, list_color.txt,
    list_type.txt, camera_ID.txt, camera_Dist.txt

    VVVV vehicle 0001..0776; CCC camera 001..020; T time stamp; K counter.  Every query picture is
    also in image_test.  gt_index / jk_index: per query, 1-based lines of name_test.txt: matches in
    other cameras / same vehicle and same camera (left out of scoring).

    Mini: 5 train and 5 test vehicles (0776 always in training).
    """
    def name(v, c, k):
        return f"{v:04d}_c{c:03d}_{t.one(10000, 99999):08d}_{k}.jpg"

    ids = t.shuffled(t.ints(1, 775, 9))
    train, test = sorted(ids[:4] + [776]), sorted(ids[4:])
    names = {"train": [], "query": [], "test": []}
    tracks = []
    for v in train:
        for c in t.some(range(1, 21), t.one(2, 3)):
            names["train"] += [name(v, c, k) for k in range(t.one(1, 3))]
    for v in test:
        for c in t.some(range(1, 21), t.one(2, 3)):
            track = [name(v, c, k) for k in range(t.one(1, 3))]
            tracks.append(track)
            names["test"] += track
            names["query"].append(t.pick(track))
    for n in names["train"]:
        t.image("veri/image_train/" + n, 16, 16)
    for n in names["test"]:
        t.image("veri/image_test/" + n, 16, 16)
    for n in names["query"]:
        t.copy("veri/image_test/" + n, "veri/image_query/" + n)
    for k, v in names.items():
        t.text(f"veri/name_{k}.txt", "".join(n + "\n" for n in v))
    t.text("veri/test_track.txt", "".join(" ".join(x) + " \n" for x in tracks))
    gt, jk = [], []
    for q in names["query"]:
        same = [(i, n) for i, n in enumerate(names["test"], 1) if n[:4] == q[:4]]
        gt.append(" ".join(str(i) for i, n in same if n[5:9] != q[5:9]) + " \n")
        jk.append(" ".join(str(i) for i, n in same if n[5:9] == q[5:9]) + " \n")
    t.text("veri/gt_index.txt", "".join(gt))
    t.text("veri/jk_index.txt", "".join(jk))
    look = {}
    for which in ("train", "test"):
        rows = []
        for n in names[which]:
            colour, kind = look.setdefault(n[:4], (t.one(1, 10), t.one(1, 9)))
            rows.append(f'  <Item imageName="{n}" vehicleID="{n[:4]}" cameraID="{n[5:9]}" colorID="{colour}" typeID="{kind}" />\n')
        root = "TrainingImages" if which == "train" else "TestImages"
        t.text(f"veri/{which}_label.xml",
               f'<?xml version="1.0" encoding="gb2312"?>\n<{root} Version="1.0">\n <Items number="{len(rows)}">\n'
               + "".join(rows) + f" </Items>\n</{root}>\n", "gb2312")
    t.text("veri/list_color.txt", "".join(f"{i} colour{i}\n" for i in range(1, 11)))
    t.text("veri/list_type.txt", "".join(f"{i} type{i}\n" for i in range(1, 10)))
    t.text("veri/camera_ID.txt", "".join(f"c{i:03d}\n" for i in range(1, 21)))
    t.text("veri/camera_Dist.txt", "".join(" ".join(str(abs(i - j) * 100) for j in range(20)) + "\n" for i in range(20)))


@maker
def vehicleid(t):
    """PKU VehicleID.

    vehicleid/image/IIIIIII.jpg, vehicleid/train_test_split/{train_list, test_list_800,
    test_list_1600, test_list_2400, test_list_3200, test_list_6000, test_list_13164}.txt with lines
    "image vehicle", vehicleid/attribute/{color_attr,model_attr,img2vid}.txt

    IIIIIII running picture number, 7 digits; the list's second field is the vehicle (plain integer).
    No camera exists.  A test list mixes query and gallery: per vehicle one picture drawn at random is
    the gallery and the rest are queries (ten draws averaged).  The lists are nested.

    Mini: 4 train vehicles; test lists of 2,3,4,5,6,7 vehicles under the official file names.
    """
    b = "vehicleid"
    vids = t.shuffled(t.ints(1, 26328, 11))
    imgs = t.shuffled(t.ints(1, 221763, 60))
    of = {}
    for v in vids:
        of[v] = [imgs.pop() for _ in range(t.one(2, 4))]
        for i in of[v]:
            t.image(f"{b}/image/{i:07d}.jpg", 16, 16)
    train, test = vids[:4], vids[4:]
    lines = lambda vs: "".join(f"{i:07d} {v}\n" for v in sorted(vs) for i in of[v])
    t.text(f"{b}/train_test_split/train_list.txt", lines(train))
    for n, size in zip((2, 3, 4, 5, 6, 7), (800, 1600, 2400, 3200, 6000, 13164)):
        t.text(f"{b}/train_test_split/test_list_{size}.txt", lines(test[:n]))
    t.text(f"{b}/attribute/color_attr.txt", "".join(f"{v} {t.one(0, 6)}\n" for v in sorted(vids)))
    t.text(f"{b}/attribute/model_attr.txt", "".join(f"{v} {t.one(0, 249)}\n" for v in sorted(vids)))
    t.text(f"{b}/attribute/img2vid.txt", "".join(f"{i:07d} {v}\n" for v in sorted(vids) for i in of[v]))


@maker
def veriwild(t):
    """VERI-Wild.

    VERI-Wild/images/VVVVV/IIIIII.jpg and VERI-Wild/train_test_split/{train_list.txt, test_3000.txt,
    test_3000_query.txt, test_5000.txt, test_5000_query.txt, test_10000.txt, test_10000_query.txt,
    vehicle_info.txt}

    List lines are VVVVV/IIIIII.jpg.  vehicle_info.txt starts with the line
    "id/image;Camera ID;Time;Model;Type;Color" and has one line per picture of the whole set, the
    picture without extension; the camera (1..174) is only there.  Picture numbers are unique over
    the whole set.

    Mini: 4 train vehicles; 2,3,5 test vehicles (nested) under the official file names, one query each.
    """
    b = "VERI-Wild"
    vids = t.shuffled(t.ints(1, 40671, 9))
    imgs = t.shuffled(t.ints(1, 416314, 60))
    info, of = [], {}
    for v in vids:
        of[v] = []
        cams = t.some(range(1, 175), t.one(2, 4))
        for c in cams + [t.pick(cams)]:
            i = imgs.pop()
            of[v].append((i, c))
            t.image(f"{b}/images/{v:05d}/{i:06d}.jpg", 16, 16)
            info.append(f"{v:05d}/{i:06d};{c};2018-0{t.one(1, 9)}-{t.one(10, 28)} {t.one(10, 23)}:{t.one(10, 59)}:{t.one(10, 59)};"
                        f"Model{t.one(1, 149)};Type{t.one(1, 14)};Color{t.one(1, 12)}\n")
    d = f"{b}/train_test_split"
    train, test = vids[:4], vids[4:]
    t.text(f"{d}/train_list.txt", "".join(f"{v:05d}/{i:06d}.jpg\n" for v in sorted(train) for i, _ in of[v]))
    for n, size in ((2, 3000), (3, 5000), (5, 10000)):
        vs = sorted(test[:n])
        t.text(f"{d}/test_{size}_query.txt", "".join(f"{v:05d}/{of[v][0][0]:06d}.jpg\n" for v in vs))
        t.text(f"{d}/test_{size}.txt", "".join(f"{v:05d}/{i:06d}.jpg\n" for v in vs for i, _ in of[v][1:]))
    t.text(f"{d}/vehicle_info.txt", "id/image;Camera ID;Time;Model;Type;Color\n" + "".join(sorted(info)))


# --------------------------------------------------------------------------------------------------
# partial / occluded
# --------------------------------------------------------------------------------------------------
@maker
def partial_reid(t):
    """Partial-REID.

    Partial_REID/{partial_body_images,whole_body_images,occluded_body_images}/PPP_NNN.jpg: PPP person
    001..060, NNN picture.  Query = partial, gallery = whole body.  No camera: NNN is all there is.

    Mini: 5 persons, 2-3 pictures per folder.
    """
    for pid in t.ints(1, 60, 5):
        for folder in ("partial_body_images", "whole_body_images", "occluded_body_images"):
            for k in range(1, t.one(2, 3) + 1):
                t.image(f"Partial_REID/{folder}/{pid:03d}_{k:03d}.jpg")


@maker
def partial_ilids(t):
    """Partial-iLIDS.

    PartialiLIDS/{query,gallery}/PPP_N.jpg (FastReID's folder names; elsewhere Partial_iLIDS/
    {Probe,Gallery}): PPP person 001..119, one query and one gallery picture each.  Only the
    "digits underscore digits" shape of the names is known from the loader.

    Mini: 7 persons.
    """
    for pid in t.ints(1, 119, 7):
        t.image(f"PartialiLIDS/query/{pid:03d}_1.jpg")
        t.image(f"PartialiLIDS/gallery/{pid:03d}_2.jpg")


@maker
def occluded_reid(t):
    """Occluded-REID in FastReID's flat layout: OccludedREID/{query,gallery}/PPP_NN.jpg.

    PPP person 001..200, NN picture; query occluded, gallery whole.  The release has one folder per
    person and other folder names (occluded_body_images, whole_body_images).

    Mini: 4 persons, 2 + 2 pictures.
    """
    for pid in t.ints(1, 200, 4):
        for folder in ("query", "gallery"):
            for k in (1, 2):
                t.image(f"OccludedREID/{folder}/{pid:03d}_{k:02d}.jpg")


# --------------------------------------------------------------------------------------------------
# clothes changing
# --------------------------------------------------------------------------------------------------
@maker
def prcc(t):
    """PRCC.

    prcc/{rgb,sketch}/{train,val}/PPP/{A,B,C}_cropped_rgbNNN.jpg and
    prcc/{rgb,sketch}/test/{A,B,C}/PPP/cropped_rgbNNN.jpg

    PPP person; A, B, C camera.  A and B show the same clothes, C different ones.  val holds further
    pictures of training persons.  Test: A is the gallery, B the same-clothes queries, C the
    changed-clothes queries; the gallery is drawn single-shot (one A picture per person, ten draws).
    The sketch half mirrors rgb (its file names could not be checked: here the same with "sketch").

    Mini: 4 train persons, 4 test persons.
    """
    ids = t.shuffled(t.ints(1, 332, 8))
    train, test = sorted(ids[:4]), sorted(ids[4:])
    for kind in ("rgb", "sketch"):
        for part in ("train", "val"):
            for pid in train if part == "train" else train[:3]:
                for cam in "ABC":
                    for n in t.ints(1, 900, t.one(1, 3) if part == "train" else 1):
                        t.image(f"prcc/{kind}/{part}/{pid:03d}/{cam}_cropped_{kind}{n:03d}.jpg")
        for pid in test:
            for cam in "ABC":
                for n in t.ints(1, 900, t.one(2, 3) if cam == "A" else t.one(1, 2)):
                    t.image(f"prcc/{kind}/test/{cam}/{pid:03d}/cropped_{kind}{n:03d}.jpg")


@maker
def ltcc(t):
    """LTCC.

    LTCC_ReID/{train,query,test}/PPP_O_cC_NNNNNN.png and LTCC_ReID/info/cloth-{change,unchange}_id_
    {train,test}.txt (one person per line)

    PPP person 0-based (000..151, zero-padded to three); O outfit of that person, 1-based; C camera
    1..12, not padded; NNNNNN picture.  Persons in cloth-change lists wear two or more outfits.

    Mini: 4 train (2 changing) and 4 test persons (2 changing).
    """
    ids = t.shuffled(t.ints(0, 151, 8))
    number = t.one(1, 500)
    for part, pids in (("train", sorted(ids[:4])), ("test", sorted(ids[4:]))):
        changing = t.some(pids, 2)
        for pid in pids:
            for outfit in range(1, t.one(2, 3) + 1 if pid in changing else 2):
                for cam in t.some(range(1, 13), t.one(2, 3)):
                    for k in range(t.one(2, 3)):
                        number += t.one(1, 90)
                        folder = "train" if part == "train" else ("query" if k == 0 else "test")
                        t.image(f"LTCC_ReID/{folder}/{pid:03d}_{outfit}_c{cam}_{number:06d}.png")
        rest = [p for p in pids if p not in changing]
        t.text(f"LTCC_ReID/info/cloth-change_id_{part}.txt", "".join(f"{p}\n" for p in changing))
        t.text(f"LTCC_ReID/info/cloth-unchange_id_{part}.txt", "".join(f"{p}\n" for p in rest))


@maker
def last(t):
    """LaST.

    last/train/PPPPPP/*.jpg, last/{val,test}/query/*.jpg (flat), last/{val,test}/gallery/PPPPPP/*.jpg

    In a name the first underscore field is the person and the last one the outfit (labelled in
    train only); the middle could not be checked and is made up here.  No camera exists: loaders give
    every picture a camera of its own.

    Mini: 4 train, 2 val, 3 test persons.
    """
    ids = t.shuffled(t.ints(0, 10861, 9))

    def name(p):
        return f"{p:06d}_{t.one(0, 9999):04d}_{t.one(0, 999):03d}_{t.one(0, 5):02d}.jpg"

    for p in sorted(ids[:4]):
        for _ in range(t.one(2, 4)):
            t.image(f"last/train/{p:06d}/{name(p)}")
    for part, pids in (("val", sorted(ids[4:6])), ("test", sorted(ids[6:]))):
        for p in pids:
            t.image(f"last/{part}/query/{name(p)}")
            for _ in range(t.one(2, 3)):
                t.image(f"last/{part}/gallery/{p:06d}/{name(p)}")


# --------------------------------------------------------------------------------------------------
# attributes
# --------------------------------------------------------------------------------------------------
DUKE_ATTR = ("backpack bag handbag boots gender hat shoes top downblack downwhite downred downgray "
             "downblue downgreen downbrown upblack upwhite upred uppurple upgray upblue upgreen upbrown").split()
MARKET_ATTR = ("age backpack bag handbag downblack downblue downbrown downgray downgreen downpink "
               "downpurple downwhite downyellow upblack upblue upgreen upgray uppurple upred upwhite "
               "upyellow clothes down up hair hat gender").split()


def _attr_mat(t, rel, key, fields, train, test):
    def half(pids):
        ix = np.empty((1, len(pids)), dtype=object)
        ix[0, :] = [f"{p:04d}" for p in pids]
        d = {f: np.array([[t.one(1, 4 if f == "age" else 2) for _ in pids]], np.uint8) for f in fields}
        d["image_index"] = ix
        return d

    t.mat(rel, {key: {"train": half(train), "test": half(test)}})


@maker
def dukemtmc_attribute(t):
    """DukeMTMC-attribute: duke_attribute.mat beside the DukeMTMC-reID folders, in
    dukemtmc-attribute/DukeMTMC-reID/ (its own small picture tree, as FastReID's loader expects both).

    duke_attribute.{train,test}: one 1 x ids row per attribute (23 of them) with values 1 = no,
    2 = yes (some attributes use the two values for a choice), and image_index, a cell of 4-digit
    persons.  Attributes belong to persons, not to pictures.
    """
    b = "dukemtmc-attribute/DukeMTMC-reID"
    train, test, distract = _duke_tree(t, b)
    _attr_mat(t, f"{b}/duke_attribute.mat", "duke_attribute", DUKE_ATTR, train, sorted(test + distract))


@maker
def market1501_attribute(t):
    """Market-1501_Attribute: market_attribute.mat beside the Market-1501 folders, in
    market1501-attribute/Market-1501-v15.09.15/ (its own small picture tree).

    market_attribute.{train,test}: 27 attribute rows, binary 1/2 except age 1..4, and image_index.
    """
    b = "market1501-attribute/Market-1501-v15.09.15"
    train, test = _market_tree(t, b)
    _attr_mat(t, f"{b}/market_attribute.mat", "market_attribute", MARKET_ATTR, train, test)


# --------------------------------------------------------------------------------------------------
def install_splits(root, folder):
    """Put stored split files back into a tree (see the module text)."""
    root = Path(root).resolve()
    for f in sorted(Path(folder).glob("*.json")):
        doc = json.loads(f.read_text())
        text = json.dumps(doc["splits"], indent=4).replace("{ROOT}", str(root))
        dst = root / doc["path"]
        if dst.parent.is_dir():
            dst.write_text(text)
            print(f"split file {dst}")


def make(root, seed=0, only=None, quiet=False):
    names = list(MAKERS) if not only else list(only)
    for n in names:
        if n not in MAKERS:
            raise SystemExit(f"unknown dataset {n!r}; known: {', '.join(MAKERS)}")
    for n in names:
        t = Tree(root, n, seed)
        MAKERS[n](t)
        if not quiet:
            t.report()


def main(argv=None):
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("out", nargs="?", help="output root")
    ap.add_argument("--seed", type=int, default=0)
    ap.add_argument("--only", help="comma-separated maker names")
    ap.add_argument("--splits", help="folder of stored split files to put back")
    ap.add_argument("--list", action="store_true", help="print the makers and what they write")
    a = ap.parse_args(argv)
    if a.list:
        for n, fn in MAKERS.items():
            print(f"== {n}\n{(fn.__doc__ or '').strip()}\n")
        return
    if not a.out:
        ap.error("OUT is needed")
    make(a.out, a.seed, a.only.split(",") if a.only else None)
    if a.splits:
        install_splits(a.out, a.splits)


if __name__ == "__main__":
    sys.exit(main())
