"""``reidcore extract``: the features of image files, and of the boxes of a video, as a table.

Data flows one way. `find_images` finds files, `boxes_file` reads boxes and `frames` the frames that
they are of; `subjects` makes one table of either, whose rows are crops. `extraction` gives the rows
to an extractor and `parts` keeps what is finished, so that an interrupted extraction goes on, and
so that several processes share it. `tables` writes the parts as one file. `command` is the command.
"""
