"""Imports of every form run after they are rewritten, and nothing else of a file is touched."""

from __future__ import annotations

import ast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reid_plugins_migrate.imports.rewriting import rewrite
from reid_plugins_migrate.imports.source import Source

# Each is run after it is rewritten, and then its last line is looked at: not None.
FORMS = """
import torchreid; found = torchreid.data.ImageDataManager
import torchreid; found = torchreid.models.build_model
import torchreid; found = torchreid.utils.FeatureExtractor
import torchreid; found = torchreid.__version__
import torchreid; found = torchreid.data.datasets.image.Market1501
import torchreid; found = torchreid.data.datasets.video.mars.Mars
import torchreid; found = torchreid.data.transforms.Resize((4, 2))
import torchreid; found = torchreid.models.osnet.osnet_x1_0
import torchreid; found = torchreid.models.resnet50
import torchreid; found = torchreid.utils.tools.listdir_nohidden
import torchreid as tr; found = tr.engine.ImageSoftmaxEngine
import torchreid as tr; found = tr.metrics.rank.eval_market1501
import torchreid.models; found = torchreid.models.show_avai_models
import torchreid.data.transforms; found = torchreid.data.transforms.RandomErasing
import torchreid.models as models; found = models.build_model
import torchreid.models.osnet_ain as net; found = net.osnet_ain_x1_0
import torchreid.models.osnet as osnet; found = osnet.osnet_x0_25
import torchreid.reid.utils as utils; found = utils.read_json
from torchreid import data, models; found = data.ImageDataManager, models.build_model
from torchreid import metrics as m; found = m.evaluate_rank
from torchreid import reid; found = reid.models.build_model
from torchreid.data import ImageDataset; found = ImageDataset
from torchreid.data import transforms as T; found = T.Compose([T.RandomErasing(), T.ToTensor()])
from torchreid.data.datamanager import DataManager; found = DataManager
from torchreid.data.datasets import init_image_dataset, Market1501; found = Market1501
from torchreid.data.datasets.dataset import VideoDataset; found = VideoDataset
from torchreid.data.datasets.image import CUHK03; found = CUHK03
from torchreid.data.datasets.image.market1501 import Market1501 as M; found = M
from torchreid.data.sampler import RandomIdentitySampler, build_train_sampler as b; found = b
from torchreid.data.transforms import Resize, build_transforms; found = build_transforms
from torchreid.data.transforms import Random2DTranslation; found = Random2DTranslation(8, 4)
from torchreid.data.transforms import RandomPatch, ColorAugmentation; found = RandomPatch()
from torchreid.engine.engine import Engine; found = Engine
from torchreid.engine.image.softmax import ImageSoftmaxEngine; found = ImageSoftmaxEngine
from torchreid.engine.video import VideoTripletEngine; found = VideoTripletEngine
from torchreid.losses import DeepSupervision; found = DeepSupervision
from torchreid.losses.cross_entropy_loss import CrossEntropyLoss; found = CrossEntropyLoss
from torchreid.losses.hard_mine_triplet_loss import TripletLoss; found = TripletLoss
from torchreid.metrics import accuracy; found = accuracy
from torchreid.metrics.accuracy import accuracy; found = accuracy
from torchreid.metrics.distance import compute_distance_matrix, cosine_distance as c; found = c
from torchreid.metrics.rank import evaluate_rank; found = evaluate_rank
from torchreid.models import mlfn, osnet_x1_0 as net; found = mlfn
from torchreid.models.mlfn import mlfn; found = mlfn
from torchreid.models.nasnet import nasnetamobile; found = nasnetamobile
from torchreid.models.osnet import osnet_x1_0; found = osnet_x1_0
from torchreid.optim.lr_scheduler import build_lr_scheduler; found = build_lr_scheduler
from torchreid.optim import build_optimizer; found = build_optimizer
from torchreid.reid.utils import FeatureExtractor; found = FeatureExtractor
from torchreid.utils import *; found = read_json, Logger
from torchreid.utils import RankLogger, set_bn_to_eval; found = RankLogger("a", "b")
from torchreid.utils.avgmeter import AverageMeter; found = AverageMeter()
from torchreid.utils.feature_extractor import FeatureExtractor; found = FeatureExtractor
from torchreid.utils.loggers import Logger; found = Logger
from torchreid.utils.model_complexity import compute_model_complexity as f; found = f
from torchreid.utils.reidtools import visualize_ranked_results; found = visualize_ranked_results
from torchreid.utils.rerank import re_ranking; found = re_ranking
from torchreid.utils.tools import check_isfile, download_url; found = download_url
from torchreid.utils.torchtools import adjust_learning_rate; found = adjust_learning_rate
""".strip().splitlines()


def rewritten(text: str) -> str:
    return Source(text).edited(rewrite(text).edits)


def told(text: str) -> list[str]:
    return [remark.what for remark in rewrite(text).remarks]


@pytest.mark.parametrize("form", FORMS)
def test_a_form_runs_after_it_is_rewritten(form) -> None:
    after = rewritten(form.replace("; ", "\n"))
    assert "torchreid" not in after.replace("reid_plugins_migrate.torchreid", "")
    namespace: dict[str, object] = {}
    exec(after, namespace)
    assert namespace["found"] is not None
    assert rewrite(after).edits == []
    # On one line, and inside of a function, it means the same.
    exec(rewritten(form), namespace)
    exec(rewritten(f"def f():\n\t{form}\n\treturn found\nfound = f()\n"), namespace)


def test_nothing_else_is_touched() -> None:
    before = (
        "#!/usr/bin/env python\n# -*- coding: utf-8 -*-\n\n"
        "import os,  torchreid   # two\n"
        "from torchreid.utils import (\n    Logger,   # for the log\n    check_isfile\n)\n"
        "x = {  'naïve' : torchreid.data.ImageDataManager }\n\n\n"
    )
    after = rewritten(before)
    assert after == before.replace("torchreid", "reidcore")


def test_ends_of_lines_and_tabs_stay() -> None:
    before = (
        "if True:\r\n"
        "\tfrom torchreid.data.transforms import Resize, RandomErasing # both\r\n\tx=1\r\n"
    )
    assert rewritten(before) == (
        "if True:\r\n"
        "\tfrom torchvision.transforms import Resize\r\n"
        "\tfrom reid_plugins_migrate.torchreid.transforms import RandomErasing # both\r\n\tx=1\r\n"
    )


def test_comments_inside_of_a_statement_stay() -> None:
    before = (
        "from torchreid.data.transforms import (\n    Resize,  # a\n    RandomErasing,  # b\n)\n"
    )
    assert rewritten(before).startswith("# a\n# b\nfrom torchvision.transforms import Resize\n")


def test_a_parameter_of_the_same_name_is_no_module() -> None:
    before = (
        "from torchreid import data\n"
        "def forward(data):\n    return data.transforms.Resize, [data for data in ()]\n"
        "def other():\n    return data.datasets.init_image_dataset\n"
        "class A:\n    data = 1\n    def f(self):\n        return data.datamanager.DataManager\n"
    )
    after = rewritten(before)
    assert "return data.transforms.Resize" in after
    assert "return data.init_image_dataset" in after
    assert "return data.DataManager" in after
    assert told(before) == []


def test_a_name_that_is_taken_is_written_in_full() -> None:
    before = "import torchreid\nMarket1501 = 3\nd = torchreid.data.datasets.Market1501\n"
    after = rewritten(before)
    assert "import reid_plugins_migrate.torchreid.datasets\n" in after
    assert "d = reid_plugins_migrate.torchreid.datasets.Market1501" in after


def test_a_guarded_import_keeps_its_guard() -> None:
    before = (
        "try:\n    import torchreid\nexcept ImportError:\n    torchreid = None\nx = torchreid\n"
    )
    assert rewritten(before) == before.replace("torchreid", "reidcore")


def test_a_global_keeps_its_name() -> None:
    before = "def f():\n    global torchreid\n    import torchreid\ntorchreid.utils.read_json\n"
    assert "import reidcore as torchreid" in rewritten(before)


def test_an_absent_name_stays_and_is_told_again_and_again() -> None:
    before = (
        "import torchreid\nfrom torchreid.models.osnet import OSNet, osnet_x1_0\n"
        "net = torchreid.models.osnet.OSBlock, torchreid.models.build_model\n"
    )
    after = rewritten(before)
    assert after == (
        "import torchreid, reidcore\nfrom torchreid.models.osnet import OSNet\n"
        "from reid_plugins_osnet.osnet import osnet_x1_0\n"
        "net = torchreid.models.osnet.OSBlock, reidcore.models.build_model\n"
    )
    absent = ["torchreid.models.osnet.OSNet", "torchreid.models.osnet.OSBlock"]
    assert told(before) == told(after) == absent
    assert rewritten(after) == after


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("import importlib\nimportlib.import_module('torchreid.models.osnet')", "the text"),
        ("__import__('torchreid')", "the text 'torchreid'"),
        ("import_module(f'torchreid.{name}')", "the text f'torchreid.{name}'"),
        ("import_module('torchreid.' + name)", "the text 'torchreid.' + name"),
        ("x = []  # type: list[torchreid.data.Dataset]", "# type: list[torchreid"),
        ("from torchreid.utils import *\nread_json", "from torchreid.utils import *"),
        ("from torchreid.nowhere import thing", "torchreid.nowhere.thing"),
        ("import torchreid\ntorchreid.utils.read_yaml", "torchreid.utils.read_yaml"),
        ("from torchreid.data import transforms\nf(transforms)", "the module torchreid.data"),
    ],
)
def test_what_is_left_to_the_author_is_told(text, what) -> None:
    (remark,) = rewrite(text).remarks
    assert remark.what.startswith(what)
    assert remark.line == text.count("\n") + 1 or what.startswith("from")


def test_uses_in_formatted_texts_are_rewritten_or_told() -> None:
    """Where Python says of a formatted text that it stands elsewhere, nothing there is touched."""
    assert "f'{reidcore.utils.read_json}'" in rewritten(
        "import torchreid\nx = f'{torchreid.utils.tools.read_json}'\n"
    )
    before = 'import torchreid\nx = (f"""\n\n a {1}\n  {torchreid.__version__!r:>{3}}\n""" "b")\n'
    after = rewritten(before)
    assert ast.unparse(ast.parse(after)).count("torchreid") == len(told(before))
    assert after in (
        before.replace("torchreid", "reidcore"),
        before.replace("torchreid", "reidcore", 1),
    )


def test_texts_that_only_mention_torchreid_are_no_names() -> None:
    assert told('"""As in torchreid.utils, say."""\nx = "torchreid"\n') == []


def test_a_star_gives_the_names_that_are_used() -> None:
    before = (
        "from torchreid.data.transforms import *\nread = open\nx = Compose([RandomErasing()])\n"
    )
    assert rewritten(before).startswith(
        "from torchvision.transforms import Compose\n"
        "from reid_plugins_migrate.torchreid.transforms import RandomErasing\n"
    )


def test_a_star_gives_the_modules_that_are_used() -> None:
    after = rewritten(
        "from torchreid import *\nm = models.osnet.osnet_x1_0, data.transforms.Resize\n"
    )
    assert after.splitlines()[-1] == "m = osnet_x1_0, Resize"
    exec(after, {})
    own = (
        "from torchreid import *\nimport data, utils\nmodels = 3\nprint(data.x, utils.y, models)\n"
    )
    assert rewritten(own).splitlines()[1:] == own.splitlines()[1:]
    assert rewritten("from torchreid import *\ndata.ImageDataManager\n").startswith(
        "from reidcore import data\n"
    )


def test_files_without_torchreid_stay() -> None:
    before = "import torchreidx\nfrom . import torchreid\nfrom .torchreid import utils\n"
    assert rewritten(before) == before


@settings(max_examples=40)
@given(st.lists(st.sampled_from(FORMS), max_size=6), st.sampled_from(["\n", "\r\n", "\r"]))
def test_any_mixture_is_python_and_is_rewritten_once(forms, newline) -> None:
    after = rewritten(newline.join(forms) + newline)
    ast.parse(after)
    assert rewrite(after).edits == []
    assert newline in after or not forms
