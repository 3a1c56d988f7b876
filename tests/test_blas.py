"""Linear algebra stays on one thread where our own threads and processes do the work."""

from __future__ import annotations

from tests.programs import printed


def test_a_worker_process_is_limited_for_good() -> None:
    code = (
        "from nettwin.blas import limit_blas_threads; limit_blas_threads();"
        "from threadpoolctl import threadpool_info;"
        "print([e['num_threads'] for e in threadpool_info() if e['user_api'] == 'blas'])"
    )
    threads = eval(printed(code))
    assert set(threads) == {1}
    assert len(threads) >= 2  # NumPy's library and SciPy's, which Numba calls
