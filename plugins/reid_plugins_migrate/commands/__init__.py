"""Bring over scripts, configurations and checkpoints of Torchreid and FastReID.

Examples:
    reidcore migrate imports scripts
    reidcore migrate imports --write scripts
"""
