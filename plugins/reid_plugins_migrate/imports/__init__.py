"""Torchreid's imports rewritten: what a file binds to Torchreid, and what each use becomes.

``names`` reads the table, ``scopes`` finds the uses, ``statements`` and ``rewriting`` make the
edits, ``files`` reads and writes scripts and notebooks.
"""
