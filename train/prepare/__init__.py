"""Make the data sets that the recipes train on: `python -m train.prepare --help`.

`outlines` and `facades` make pairs of raw pictures. `avatars`, `fluent` and `earth` make data sets of several
renderings of the same things, a folder each, from public packages; `task` lays out two of these renderings for a
training. `cars` renders cars turned by known angles.
"""
