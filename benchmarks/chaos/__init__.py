"""`make chaos`: faults injected into a real gatepost under load. Nothing bad is allowed, nothing accepted is lost.

`__main__` chooses and reports; `run` injects one fault after the other; `faults/` holds them by family;
`load` asks without pause; `ledger` remembers what was asked and what came of it; `keeper` runs gatepostd as a
service manager would, in `volumes` of its own.
"""
