"""Make, prepare and inspect datasets.

Examples:
    reidcore data make-synthetic reid-data/synthetic
    reidcore data import photos mydata
    reidcore data prepare market1501
    reidcore data check market1501
    reidcore data stats market1501 --mean-std
    reidcore data show market1501 -o market1501.png
"""
