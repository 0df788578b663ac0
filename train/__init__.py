"""Training: data, the loop, evaluation, publishing and recipes. `python -m train --help` lists the commands."""
