"""Training data: where images lie, how they are read and varied, and in which order a training sees them."""
