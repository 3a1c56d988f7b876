"""Jobs: work in other processes, with progress, cancel, and a store that outlives the server.

job         one job as it stands            store     all of them, SQLite
kinds       what can be asked for           worker    one process, and what runs in it
jobs        the queue and its workers
"""
