"""What a tracker leaves: rows of boxes, and the frames that they lie in.

`mot` reads rows in MOTChallenge's form, `seqinfo` what stands beside them, and `places` says where
their frames usually are. `frames` finds the
picture of each annotated frame, in a folder of images, a video or a stream; `pictures` decodes
them, each once and in order; `videos` opens what OpenCV reads. ``data import``, ``extract`` and
``link`` all read by these.
"""
