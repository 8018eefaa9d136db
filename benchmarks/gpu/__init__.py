"""What a CUDA device makes of the nets: the floor of the arithmetic, and the served gate on such a machine."""
