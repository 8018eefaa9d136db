"""`make evaluate`: how well gatepost judges cards that nothing was trained or tuned on.

plan.py says which cards, run.py asks a running gatepost, metrics.py and baseline.py judge the answers, report/ writes
them down.
"""
