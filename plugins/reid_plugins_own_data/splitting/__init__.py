"""Tables of images split by identity and camera: who is learnt from, validated and tested on.

`table` reads and writes the file, `sightings` is what it says of each image, `identities` draws who
is tested, `searches` which of their images are queries, and `split` puts that together and
explains it.
"""
