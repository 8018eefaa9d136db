"""`make bench-rescan`: what a re-scan costs beside what it asks, and whether its memory grows."""
