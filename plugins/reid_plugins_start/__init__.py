"""The one road: from crops of one's own to a model that is handed over, in one command.

`source` says what the data is, `road` which steps lead from it, each an ordinary command; `facts`
is what they found, `choices` what is decided from that, `probe` how fast a step of the training is,
and `config_file` the configuration that comes of it. `walk` goes the road, and goes on where it
stopped; `journal` is what it remembers. `findings` shows what is wrong with the data, `chance` says
whether the model is told from a random ranking, and `card` and `handover` are what is left at the
end.
"""
