"""Arrays of an npz file: bounded, without pickle, believed only as far as their bytes go."""

from __future__ import annotations

import io
import math
import zipfile
import zlib
from collections.abc import Container
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nettwin.errors import FormatError
from nettwin.formats.files import read_bytes

MAX_MEMBERS = 100
_WHOLE = "Get the file again; it may be cut short or damaged."


def npz_arrays(
    path: Path, known: Container[str], most_values: int
) -> tuple[dict[str, NDArray[Any]], set[str]]:
    """The arrays of an npz file whose names are known, and the names of the others."""
    out: dict[str, NDArray[Any]] = {}
    others: set[str] = set()
    try:
        with zipfile.ZipFile(io.BytesIO(read_bytes(path))) as archive:
            members = archive.infolist()
            if len(members) > MAX_MEMBERS:
                raise FormatError(
                    path,
                    "the zip archive",
                    f"has {len(members)} members",
                    f"Keep at most {MAX_MEMBERS} arrays in it.",
                )
            for member in members:
                name = member.filename.removesuffix(".npy")
                if name not in known or name in out or name == member.filename:
                    others.add(name)
                    continue
                if member.file_size > 8 * most_values + 2**16:
                    raise FormatError(
                        path,
                        name[:60],
                        f"unpacks to {member.file_size} bytes",
                        f"Split it: an array may hold {most_values} numbers.",
                    )
                out[name] = _array(path, name, archive.read(member))
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError) as error:
        raise FormatError(path, "the zip archive", f"is damaged ({error})", _WHOLE) from None
    except (NotImplementedError, RuntimeError) as error:
        raise FormatError(
            path, "the zip archive", f"cannot be unpacked ({error})", "Save it by numpy.savez."
        ) from None
    return out, others


def _array(path: Path, name: str, data: bytes) -> NDArray[Any]:
    """An array of the npy format, whose header is believed only as far as its bytes go."""
    stream = io.BytesIO(data)
    try:
        version = np.lib.format.read_magic(stream)
        header = (
            np.lib.format.read_array_header_1_0
            if version == (1, 0)
            else np.lib.format.read_array_header_2_0
        )
        shape, fortran, dtype = header(stream)
    except (ValueError, TypeError, SyntaxError, EOFError, RecursionError, MemoryError):
        raise FormatError(
            path, name[:60], "is not an array of numpy's npy format", _WHOLE
        ) from None
    if dtype.hasobject:
        raise FormatError(
            path,
            name[:60],
            "holds pickled Python objects, which may run programs when read",
            "Save plain numbers and strings (dtype float64, datetime64 or <U).",
        )
    rest = len(data) - stream.tell()
    if not dtype.itemsize or math.prod(shape) * dtype.itemsize != rest or min(shape, default=0) < 0:
        raise FormatError(
            path, name[:60], f"claims shape {shape} of {dtype} and has {rest} bytes", _WHOLE
        )
    flat = np.frombuffer(data, dtype, offset=stream.tell())
    return flat.reshape(shape, order="F" if fortran else "C")
