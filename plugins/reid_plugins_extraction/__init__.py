"""``reidcore extract``: the features of image files, and of the boxes of a video, as a table.

Data flows one way. `find_images` finds files; `subjects` makes a table of them, or of boxes and the
frames that they are of, whose rows are crops. `extraction` gives the rows to an extractor and
`parts` keeps what is finished, so that an interrupted extraction goes on, and so that several
processes share it. `tables` writes the parts as one file. `command` is the command.
"""
