"""Make the data sets that the recipes train on: `python -m train.prepare --help`."""
