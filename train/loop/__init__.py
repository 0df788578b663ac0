"""The training loop: its options, its steps, its state on disk, and the checkpoint that it exports."""
