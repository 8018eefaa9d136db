"""Fifty million images a day with bursts, on so many replicas: waits and refusals, simulated from measured figures."""
