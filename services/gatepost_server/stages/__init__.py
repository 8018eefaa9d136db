"""Model code, one package or file for each Triton model; siblings never import each other."""
