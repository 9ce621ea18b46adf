"""The one table of public names that live in bundled plugins.

Torchreid's users import these names from the core. The core does not import the plugins: a name is
looked up when it is first used.
"""

from __future__ import annotations

ENGINES = {
    "ImageSoftmaxEngine": "reid_plugins_engines.softmax:ImageSoftmaxEngine",
    "ImageTripletEngine": "reid_plugins_engines.triplet:ImageTripletEngine",
    "VideoSoftmaxEngine": "reid_plugins_engines.video:VideoSoftmaxEngine",
    "VideoTripletEngine": "reid_plugins_engines.video:VideoTripletEngine",
}

LOSSES = {
    "CrossEntropyLoss": "reid_plugins_engines.losses:CrossEntropyLoss",
    "DeepSupervision": "reid_plugins_engines.losses:DeepSupervision",
    "TripletLoss": "reid_plugins_engines.losses:TripletLoss",
}

PICTURES = {"visualize_ranked_results": "reid_plugins_inspect.pictures:visualize_ranked_results"}
