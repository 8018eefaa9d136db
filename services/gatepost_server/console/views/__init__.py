"""What pages show of a verdict: pure, from the record's words to numbers and keys of the catalogue."""
