"""Configurations of Torchreid and FastReID as ours.

``reading`` reads a file with its ``_BASE_``, ``values`` knows which keys were written and which
were read, ``torchreid`` and the modules of ``fastreid`` translate, ``translation`` puts it
together.
"""
