"""CLIP-ReID: an image tower taught by what a frozen text tower says of learnt words.

Li et al., "CLIP-ReID: Exploiting Vision-Language Model for Image Re-identification without Concrete
Text Labels", AAAI 2023. The towers are those of Radford et al., "Learning Transferable Visual
Models From Natural Language Supervision", ICML 2021.
"""
