"""Joining the tracks of several cameras into identities.

Data flows one way. `cameras` finds tracks and frames, `network` reads clocks and ways between
cameras, `boxes` the boxes, and `tracklets` makes one table of them. `crops` chooses what is looked
at of each track, `features` describes it. `constraints` says which tracks can follow one another,
`transitions` learns how long the ways take, `grouping` joins tracks, and `linking` runs these in
their order. `doubts` lists what a person should decide, `scores` compares with the truth, and
`results` writes it all. `command` is ``reidcore link``.
"""
