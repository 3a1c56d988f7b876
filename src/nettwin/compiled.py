"""Machine code that is kept on disk, and made anew when a source it was made of changes.

Numba keeps what it compiled until the file of the function itself changes, though code of other
modules may be compiled into it. Here the folder of the function counts: a change of any of its
modules is a change of them all.
"""

from __future__ import annotations

import hashlib
import inspect
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, TypeVar, cast

from numba import njit
from numba.core.caching import IndexDataCacheFile

F = TypeVar("F", bound=Callable[..., Any])


def compiled(function: F, **settings: Any) -> F:
    """Compile with Numba's settings; the code is kept on disk, and leaves the interpreter to other
    threads while it runs."""
    # said of every function, as those that a kernel calls would take its own setting over
    counted = {"nogil": True, "_nrt": True, **settings}
    made = njit(cache=True, **counted)(function)
    kept = getattr(getattr(made, "_cache", None), "_cache_file", None)
    if kept is not None:  # there is none where Numba is told not to compile
        # in the name, so that what another state of the sources left behind is never opened
        name = kept._index_name.removesuffix(".nbi")
        stamp = _stamp(Path(inspect.getfile(function)).parent)
        made._cache._cache_file = _Kept(kept._cache_path, f"{name}-{stamp}", kept._source_stamp)
    return cast("F", made)


def kernel(function: F) -> F:
    """`compiled` for small functions that are called often: arrays are not counted while it runs.

    Numba counts who holds an array each time that it is read from a tuple or handed to a function,
    which takes some tens of nanoseconds where many threads may hold it, and so most of the time of
    small functions over tuples of arrays. Such a function makes no array itself and calls none that
    returns one: plain loops, numbers, and views of the arrays that it is given.
    """
    return compiled(function, _nrt=False)


class _Kept(IndexDataCacheFile):
    """Machine code of one function on disk, which several processes may add to at once.

    Numba numbers the files of a function's specializations; two processes then write different
    ones into the same file. Here a file is named for its specialization, and written before the
    index names it. What is lost when both write the index is compiled once more.
    """

    def save(self, key: Any, data: Any) -> None:
        """Keep the machine code of a specialization."""
        digest = hashlib.sha256(self._dump(key)).hexdigest()[:12]
        name = self._data_name(int(digest, 16))
        self._save_data(name, data)
        overloads = self._load_index()
        if overloads.get(key) != name:
            overloads[key] = name
            self._save_index(overloads)


def is_kept(function: Any) -> bool:
    """Whether machine code of a compiled function, made of its present sources, is on disk."""
    kept = getattr(getattr(function, "_cache", None), "_cache_file", None)
    return kept is not None and Path(kept._index_path).exists()


@cache
def _stamp(folder: Path) -> str:
    """What tells one state of a folder's modules from another."""
    found = [(path.name, path.stat()) for path in sorted(folder.glob("*.py"))]
    states = [(name, stat.st_mtime_ns, stat.st_size) for name, stat in found]
    return hashlib.sha256(repr(states).encode()).hexdigest()[:12]
