"""The review rim: pages over the record, for the people who decide."""
