"""Checkpoints of Torchreid and FastReID as ours.

``reading`` opens a file safely, ``architectures`` tells whose weights they are by names and shapes,
``fastreid_form`` reads off FastReID's head and stem, ``conversion`` writes what ours hold.
"""
