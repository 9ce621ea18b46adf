"""Say what people in images look like, by what a run has learnt.

Examples:
    reidcore run attributes_quickstart
    reidcore attributes predict photos -w CHECKPOINT -o attributes.csv
"""
