"""gatepost: the gate between an image generator and the person who asked."""
