"""`python -m train.jobs.launch …`: `accelerate launch …` that ends with the exit code of what it launched.

A training says by its exit code whether it was paused or refused; the launcher's own code is 1 whatever happened.
"""

import os
import sys

import torch
from accelerate.commands.launch import main
from torch.distributed.elastic.multiprocessing.errors import ChildFailedError

if __name__ == "__main__":
    if not torch.cuda.is_available():
        os.environ["ACCELERATE_USE_CPU"] = "true"  # or each of the processes would train alone
    try:
        main()
    except ChildFailedError as error:
        _, first = error.get_first_failure()
        sys.exit(first.exitcode if first.exitcode > 0 else 128 - first.exitcode)
