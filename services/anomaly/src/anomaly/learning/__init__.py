"""From normal rows, or from a PyTorch file, to a model."""
