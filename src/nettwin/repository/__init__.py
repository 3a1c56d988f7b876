"""Repository: the history of one network: observations, change plans, events, and the audit log.

repository    what is kept, and how it is asked           tables     the columns of both tables
store         Parquet files, written durably, by one      lock       one writer at a time
place         a folder, or an object store
observations  observations to rows and back               audit      the log of every decision

Parquet files are the format on disk; DuckDB reads them in memory and writes none of its own, which
other versions could not read. Needs the extra `live`.
"""
