"""The gatepostd command: it wires the rims and process tree together."""
