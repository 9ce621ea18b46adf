"""A model of ours as the appearance model of a tracker: one module for each tracker.

Each is named after the package that it serves. Trackers differ in the colour of a frame, in the
form of a box and in what they want back; `docs/trackers.md` has the table. An adapter has the
methods that its tracker calls, and does not import it, save where that wants its own classes
(`reid`, tracklab). BoxMOT and Ultralytics, which are under the AGPL-3.0, are never imported.
"""
