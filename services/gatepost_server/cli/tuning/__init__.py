"""Which instances, threads and concurrency suit a machine: measured there, by `gatepostd tune`."""
