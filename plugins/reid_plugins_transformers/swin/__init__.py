"""Swin Transformers pre-trained on people."""
