"""Export: rows of the history in a file that other tools read."""

from __future__ import annotations

import io
from fnmatch import fnmatchcase
from pathlib import Path

from nettwin.formats.files import write_bytes
from nettwin.repository.store import Store
from nettwin.repository.tables import arrow


def exported(
    store: Store,
    target: Path,
    table: str,
    pattern: str | None = None,
    since_s: float | None = None,
    until_s: float | None = None,
) -> int:
    """Write rows of a table to a .parquet or .csv file, those of series that a pattern (`*`, `?`)
    fits or all; how many. Raises InputError where the file cannot be written."""
    pa = arrow()
    rows = store.read(table, None, since_s, until_s)
    if pattern is not None and "series" in rows.schema.names:
        labels = rows["series"].combine_chunks()
        fits = [fnmatchcase(name, pattern) for name in labels.dictionary.to_pylist()]
        rows = rows.filter(pa.compute.take(pa.array(fits), labels.indices)) if fits else rows
    buffer = io.BytesIO()
    if target.suffix.lower() == ".csv":
        import pyarrow.csv

        for k, field in enumerate(rows.schema):
            if pa.types.is_dictionary(field.type):
                rows = rows.set_column(k, field.name, rows[field.name].cast(pa.string()))
        pyarrow.csv.write_csv(rows, buffer)
    else:
        pa.parquet.write_table(rows, buffer, compression="zstd")
    write_bytes(target, buffer.getvalue())
    return int(rows.num_rows)
