"""Linear algebra stays on one thread where our own threads and processes do the work."""

from __future__ import annotations

import subprocess
import sys


def test_a_worker_process_is_limited_for_good() -> None:
    code = (
        "from nettwin.blas import limit_blas_threads; limit_blas_threads();"
        "from threadpoolctl import threadpool_info;"
        "print([e['num_threads'] for e in threadpool_info() if e['user_api'] == 'blas'])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert set(eval(done.stdout)) == {1}
    assert len(eval(done.stdout)) >= 2  # NumPy's library and SciPy's, which Numba calls
