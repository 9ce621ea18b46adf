"""The commands that this package adds to ``reidcore``, a file each."""
