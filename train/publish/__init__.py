"""Publishing: the model card of a checkpoint, pushes to the Hugging Face Hub, and the app on a Space."""
