"""List, show and compare finished and running trainings.

Examples:
    reidcore runs ls log
    reidcore runs show log/quickstart
    reidcore runs compare log/a log/b --latex
    reidcore runs compare log --plot curves.png
"""
