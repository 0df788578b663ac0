"""Checkpoints in use: images in and out of a network, and the engines that run it, here or in another process."""
