"""The Triton boundary: tensor names, dtypes and dims, and arrays to evidence."""
