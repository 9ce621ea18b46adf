"""The one road: from crops of one's own to a model that is handed over, in one command.

`command` is what is typed. `source` says what the data is, `folders` where everything goes, and
`context` has both with what is asked for. `road` lists the steps, which `data_steps` and
`model_steps` make: each `step` is an ordinary command, or one that this package does itself.
`run_steps` goes the road, and goes on where it stopped; `single_step` does one of them; `journal`
is what they remember.

`findings` shows what is wrong with the data, and `facts` is what the check and the split found.
`recipe` puts together what `choices` decides from that and how fast `probe` finds a step of the
training, and `config_file` writes it down. `handover` makes the folder that is left at the end,
with a `card` for the model: its `licences`, and whether it is told from a `random_ranking`.
"""
