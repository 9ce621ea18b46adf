"""tracklab: a module for its pipelines, ``modules/reid: reidcore`` in a configuration.

tracklab finds this package by the entry-point group ``tracklab_plugin`` and adds
``config_package`` to Hydra's search path. Serves tracklab 1.3.
"""

config_package = "pkg://reid_plugins_trackers.tracklab.configs"
