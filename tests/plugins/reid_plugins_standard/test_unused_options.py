"""What the command line sets in vain is told; what it sets to some effect, and files, are not."""

from __future__ import annotations

import pytest
from reid_plugins_standard.unused_options import unused_options

from reidcore.config import load_config
from reidcore.plugins import Plugins, make_plugins

_UNSMOOTHED = "loss.softmax.label_smooth is off"


@pytest.fixture(scope="module")
def plugins() -> Plugins:
    return make_plugins()


def unused(
    plugins: Plugins, *words: str, source: dict[str, object] | None = None
) -> dict[str, str]:
    return dict(unused_options(load_config(source, words, plugins=plugins), plugins))


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["loss.circle.margin=0.3"], "loss.name is softmax"),
        (["loss.triplet.margin=0.3", "loss.terms={circle: 1}"], "loss.terms is circle"),
        (["loss.name=triplet", "loss.terms={softmax: 1}"], "loss.terms is softmax"),
        (["sgd.momentum=0.5"], "train.optim is adam"),
        (["random_erase.p=0.3"], "data.transforms is random_flip"),
        (["random_erase.p=0.3", "data.transforms=[]"], "data.transforms is none"),
        (["cuhk03.labeled=true"], "the run's data is market1501"),
        (["one_cycle.pct_start=0.5"], "train.lr_scheduler is single_step"),
        (["train.gamma=0.5", "train.lr_scheduler=cosine"], "train.lr_scheduler is cosine"),
        (["open_set.draws=3"], "test.protocol is market1501"),
        (["sampler.num_instances=2"], "sampler.train_sampler is RandomSampler"),
        (["train.warmup_factor=0.5"], "there is no train.warmup_epochs or train.warmup_steps"),
        (["train.base_lr_mult=0.5"], "train.staged_lr is off"),
        (["train.new_layers=[fc]"], "train.staged_lr is off, and train.groups has no new_layers"),
        (["train.open_layers=[fc]"], "train.fixbase_epoch is 0"),
        (["data.cache_gb=2"], "data.cache is off"),
        (["video.seq_len=4"], "data.type is image"),
        (["test.visrank_topk=3"], "test.visrank is off"),
        (["test.start_eval=3"], "the only test is at the end, by test.eval_freq"),
        (["test.validation_share=0.2"], "test.select_on is not validation"),
        (["test.select_metric=mAP", "test.select_on=none"], "test.select_on is none"),
        (["model.jpm_shift=8", "model.name=vit_s_16"], "model.jpm is off"),
        (["model.sie_coefficient=2", "model.name=vit_s_16"], "model.sie is none"),
        (["loss.softmax.form=k_minus_1", "loss.softmax.label_smooth=false"], _UNSMOOTHED),
        (["loss.triplet.eps=0.2", "loss.name=triplet"], "loss.triplet.weight_x is off"),
        (["loss.softmax.eps=0.2", "loss.name=triplet"], "loss.triplet.weight_x is off"),
        (["sgd.dampening=0.1", "train.optim=sgd", "sgd.momentum=0"], "sgd.momentum is off"),
    ],
    ids=lambda given: given[0] if isinstance(given, list) else "",
)
def test_what_is_set_in_vain_is_told_with_its_reason(
    plugins: Plugins, words: list[str], reason: str
) -> None:
    assert unused(plugins, *words) == {words[0].partition("=")[0]: reason}


@pytest.mark.parametrize(
    "words",
    [
        ["loss.circle.margin=0.3", "loss.terms={circle: 1}"],
        ["loss.name=triplet", "loss.triplet.margin=0.1"],
        ["loss.name=triplet", "loss.triplet.weight_x=1", "loss.softmax.eps=0.2"],
        ["loss.terms={softmax: 1, triplet: 1}", "loss.softmax.eps=0.2"],
        ["test.protocol=video", "video.pooling_method=max"],
        ["video=null"],
        ["model.name=vit_s_16", "model.jpm=true", "model.jpm_shift=8"],
        ["loss.pml/ContrastiveLoss.pos_margin=0.1", "loss.terms={pml/ContrastiveLoss: 1}"],
        ["train.optim=amsgrad", "adam.beta1=0.8"],
        ["cuhk03.use_metric_cuhk03=false"],
        ["data.sources=cuhk03", "cuhk03.labeled=true"],
        ["data.datasets={mine: {cuhk03: a}}", "data.targets=mine", "cuhk03.labeled=true"],
        ["sampler.train_sampler=RandomIdentitySampler", "sampler.num_instances=2"],
        ["data.load_train_targets=true", "sampler.train_sampler_t=RandomSampler"],
        ["train.groups={new_layers: {lr_mult: 2}}", "train.new_layers=[fc]"],
    ],
    ids=lambda words: words[-1],
)
def test_what_is_read_is_not_told(plugins: Plugins, words: list[str]) -> None:
    assert unused(plugins, *words) == {}


def test_a_file_may_have_options_in_store(plugins: Plugins) -> None:
    source = {"sgd": {"momentum": 0.5}, "loss": {"circle": {"margin": 0.3}}}
    assert unused(plugins, source=source) == {}
