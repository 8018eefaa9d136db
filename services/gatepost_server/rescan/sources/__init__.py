"""What a SOURCE can be: files and prefixes, tars, manifests."""
