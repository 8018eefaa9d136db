"""One file for each container: sizes, frame counts and completeness, without decoding pixels."""
