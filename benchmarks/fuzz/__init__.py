"""Hostile images against the decode step and the whole service (`make fuzz`).

seeds, damage, bombs, shipped -> cases -> children (worker) and structured and served -> report
"""
