"""Evaluation: measures of a checkpoint on held-out images, and pictures of what it does."""
