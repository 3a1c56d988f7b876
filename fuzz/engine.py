"""Engine: the search of one target by Atheris, in a process of its own.

Atheris follows which lines an input reaches and keeps those that reach new ones. It ends the
process, so that `python -m fuzz` starts one for each target.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from fuzz.corpus import FOUND, LARGEST_BUNDLE, seeds
from fuzz.mutate import TOKENS

MEMORY_MB = 2048
SLOWEST_S = 30
# Numba compiles these and does not know the calls that Atheris adds
COMPILED = ("nettwin.formats.datanet.scan",)


def search(name: str, seconds: float) -> None:
    """Search the target of a format; the process ends with 0 where nothing is found."""
    import atheris

    with atheris.instrument_imports(include=["nettwin.formats"], exclude=list(COMPILED)):
        from fuzz.target import target

    run = target(name)
    with tempfile.TemporaryDirectory(prefix="nettwin-fuzz-") as folder:
        corpus = Path(folder) / "corpus"
        corpus.mkdir()
        for i, data in enumerate(seeds(name)):
            (corpus / f"seed-{i}").write_bytes(data)
        words = Path(folder) / "words"
        words.write_text("".join(f'"{_escaped(token)}"\n' for token in TOKENS), encoding="ascii")
        options = [
            f"-max_total_time={max(1, round(seconds))}",
            f"-max_len={LARGEST_BUNDLE}",
            f"-timeout={SLOWEST_S}",
            f"-rss_limit_mb={MEMORY_MB}",
            f"-dict={words}",
            f"-artifact_prefix={FOUND / name}/",
            "-print_final_stats=0",
            "-verbosity=0",
            "-close_fd_mask=0",
        ]
        atheris.Setup([sys.argv[0], *options, str(corpus)], run)
        atheris.Fuzz()


def _escaped(token: bytes) -> str:
    return "".join(f"\\x{byte:02x}" for byte in token)


if __name__ == "__main__":
    search(sys.argv[1], float(sys.argv[2]))
