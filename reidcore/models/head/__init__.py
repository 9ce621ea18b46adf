"""Heads for any backbone: pooling, embedding, neck and classifier, chosen by ``model.head``."""
