"""Products of matrices that keep to the thread that asks for them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from nettwin.engines.learned.products import product

# Prints the processor time, in clock ticks, that other threads take while predictions are made.
# Flows over many equal paths have long rows of hops, which were handed out to threads that spin.
TICKS = """
import os
from pathlib import Path
import nettwin

def ticks_of_others():
    total = 0
    for task in Path("/proc/self/task").iterdir():
        if int(task.name) != os.getpid():
            try:
                fields = (task / "stat").read_text().rpartition(")")[2].split()
            except FileNotFoundError:  # a thread that has ended
                continue
            total += int(fields[11]) + int(fields[12])
    return total

scenario = nettwin.generate("grid", nodes=36, classes="three", scheduler="wfq")
model = nettwin.engine("gnn")
model.predict([scenario])
before = ticks_of_others()
for _ in range(10):
    model.predict([scenario])
print(ticks_of_others() - before)
"""


@pytest.mark.parametrize("shape", [(5000, 36, 24), (3, 128, 32), (2000, 24, 3), (0, 4, 4)])
def test_products_are_those_of_numpy(shape: tuple[int, int, int]) -> None:
    rows, seen, width = shape
    random = np.random.default_rng(1)
    x = random.standard_normal((rows, seen)).astype(np.float32)
    matrix = random.standard_normal((seen, width)).astype(np.float32)
    out = np.empty((rows, width), np.float32)
    product(x, matrix, out)
    np.testing.assert_allclose(out, x @ matrix, rtol=1e-4, atol=1e-4)


@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="tells threads apart on Linux")
def test_predictions_wake_no_threads_of_linear_algebra() -> None:
    # in a process of its own, where nothing else has threads
    done = subprocess.run(
        [sys.executable, "-c", TICKS], capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) <= 1
