"""`make bench`: speed on this machine, beside loops over the same weights and by what the images are like."""
