"""Triton's side of the wall: pb_utils to Stage, and assembling, starting and supervising tritonserver."""
