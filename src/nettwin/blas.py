"""BLAS: linear algebra held to one thread in worker processes.

OpenBLAS hands large products of matrices to threads, which spin while they wait for more. Where the
cores are busy already, with other workers or with something else, that takes many times the
processor time of the product. (Predictions need no limit: `engines.learned.products` keeps their
products so small that no thread is woken.)
"""

from __future__ import annotations

from importlib import import_module


def limit_blas_threads() -> None:
    """Hold BLAS to one thread as long as this process lives: the initializer of worker processes.

    Called by the process's main thread, since threadpoolctl lets one thread at a time decide.
    """
    from threadpoolctl import threadpool_limits

    import_module("scipy.linalg.cython_blas")  # loads SciPy's library, which Numba calls
    threadpool_limits(1, user_api="blas")
