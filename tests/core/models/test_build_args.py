"""What a network was built as goes with it."""

from __future__ import annotations

import copy

from torch import nn

from reidcore import hookimpl
from reidcore._serialization import loads_safely
from reidcore.models import ReidModel, build_model
from reidcore.models.build_args import build_args_of
from reidcore.plugins import make_plugins


class Dyed(ReidModel):
    feature_dim = 3

    def __init__(self, num_classes, loss="softmax", pretrained=True, dye=None):
        super().__init__(loss)
        self.classifier = nn.Linear(3, num_classes)

    def featuremaps(self, images):
        return images

    def embed(self, maps):
        return maps.mean(dim=(2, 3))


class Dyer:
    @hookimpl
    def reid_register_models(self, registry):
        registry.add("dyed", Dyed)


def test_it_is_what_build_model_was_given():
    plugins = make_plugins(extra=[Dyer()])
    head = {"neck": "bnneck"}
    arguments = {"loss": "triplet", "image_size": (64, 32), "head": head, "dye": ["red", 0.5]}
    model = build_model("dyed", 7, pretrained=False, plugins=plugins, **arguments)
    form = build_args_of(copy.deepcopy(nn.DataParallel(model)))
    assert form == {
        "name": "dyed",
        "num_classes": 7,
        "loss": "triplet",
        "options": {"dye": ["red", 0.5]},
        "head": head,
        "image_size": (64, 32),
        "feature_dim": 3,
    }
    assert loads_safely(form)


def test_there_is_none_where_a_file_could_not_hold_it_or_nobody_said_it():
    plugins = make_plugins(extra=[Dyer()])
    assert (
        build_args_of(build_model("dyed", 7, pretrained=False, plugins=plugins, dye=object())) == {}
    )
    assert build_args_of(Dyed(7)) == {}
