"""Training: data, the loop, evaluation and recipes. `python -m train --help` lists what it does."""
