"""Wrong input: one clear message, exit code 2, no traceback; and the other ways a run can end."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from nettwin.interfaces import wiring
from nettwin.interfaces.cli import engines, program

WRONG = {
    # what is typed: what the message holds
    "predict": "Missing argument",
    "predict missing.yaml": "missing.yaml: does not exist",
    "predict broken.yaml": "broken.yaml",
    "predict empty.yaml": "is empty",
    "predict text.txt": "is in none of the known formats",
    "predict net.yaml --format nativ": "did you mean: native",
    "predict net.yaml --index 3": "holds no scenario number 3",
    "predict net.yaml --index -1": "index is -1: must be at least 0",
    "predict net.yaml --engine theorie": "did you mean: theory",
    "predict net.yaml --top -3": "--top",
    "predict net.yaml --top many": "--top",
    "predict net.yaml --capacity 10X": "invalid rate '10X'",
    "predict net.yaml --capacity 0": "--capacity is 0: must be above 0",
    "predict net.yaml --link-delay 3parsec": "invalid time '3parsec'",
    "predict net.yaml --link-delay -3ms": "--link-delay is -3ms: must be at least 0s",
    "predict net.yaml --load much": "invalid share 'much'",
    "predict net.yaml --load 0": "--load is 0: must be above 0",
    "predict net.yaml --packet-size 3stone": "invalid size '3stone'",
    "predict net.yaml --plot map.jpeg": "must be one of .svg, .png, .pdf",
    "predict net.yaml --plot text.txt/map.svg": "cannot be written",
    "predict net.yaml --csv text.txt": "must be a folder or end in .csv",
    "predict net.yaml --csv text.txt/out": "cannot be written",
    "predict net.yaml net.yaml --plot map.svg": "draws one network, not 2",
    "predict net.yaml net.yaml --csv all.csv": "holds one network, not 2",
    "predict net.yaml --jsn": "No such option",
    "simulate net.yaml --precision tight": "invalid share 'tight'",
    "simulate net.yaml --precision=-1%": "precision is -0.01: must be at least 0",
    "simulate net.yaml --max-packets 0": "--max-packets",
    "simulate net.yaml --interval 1s": "need --time",
    "simulate net.yaml --time 0s": "must be above 0",
    "simulate net.yaml --time 1s --event 1s": "has no change",
    "simulate net.yaml --time 1s --event 'soon fail_node N1'": "invalid time 'soon'",
    "simulate net.yaml --time 1s --event '2s fail_node N1'": "must be in 0 to 1 s",
    "simulate net.yaml --time 1s --event '0s remove_flow N1->N2/voice'": "which flows there are",
    "simulate net.yaml --jobs 0": "--jobs",
    "compare net.yaml --engines theory": "there must be two to compare",
    "compare net.yaml --engines theory,pocket": "did you mean: packet",
    "whatif net.yaml": "nothing changes",
    "whatif net.yaml fail_lnik N1->N2": "did you mean: fail_link",
    "whatif net.yaml fail_link N1->N9": "did you mean: N1->N",
    "whatif net.yaml fail_link": "fail_link lacks link",
    "whatif net.yaml rate_limit N1->N2/vioce 1e6": "did you mean: N1->N2/voice",
    "whatif net.yaml set_capacity N1->N2 fast": "invalid rate 'fast'",
    "whatif net.yaml set_weight N1->N2 high": "Give a number",
    "whatif net.yaml set_capacity N1->N2 0": "above 0",
    "failures net.yaml --kinds link,nod": "did you mean: node",
    "failures net.yaml --with 'fail_link N1->N9'": "did you mean: N1->N",
    "whatif net.yaml --changes missing.json": "missing.json: cannot be read",
    "whatif net.yaml --changes broken.json": "broken.json, line 2",
    "whatif net.yaml --changes wrong.json": "wrong.json, change 2: there is no change",
    "whatif net.yaml --changes number.json": "number.json, change 1: must be a line",
    "whatif net.yaml --changes none.json": "holds no list of changes",
    "convert net.yaml out.xyz": "no suffix of a format that writes",
    "convert net.yaml out.xml --to sndlib-xml": "can only be read",
    "convert net.yaml text.txt/out.yaml": "cannot be written",
    "generate nsfnt -o x.yaml": "did you mean: nsfnet",
    "generate ring": "--output",
    "generate ring --nodes 1 -o x.yaml": "must be 3 to 2000",
    "generate ring --scheduler rr -o x.yaml": "there is no scheduler",
    "generate ring --classes four -o x.yaml": "there is no mix of traffic classes",
    "generate ring --arrival never -o x.yaml": "there is no arrival process",
    "generate ring --load 9000% -o x.yaml": "load is 90",
    "demo --output text.txt": "cannot be written",
    "predikt net.yaml": "Did you mean 'predict'?",
    "--nonsense": "No such option",
}


@pytest.fixture
def rubble(net) -> None:
    """Files that are wrong, beside net.yaml."""
    for name, text in {
        "broken.yaml": net.read_text()[:300] + "\n  : : {",
        "empty.yaml": "",
        "text.txt": "All happy networks are alike.\n",
        "broken.json": '[\n"fail_node N1",,]',
        "wrong.json": '["fail_node N1", "fial_node N2"]',
        "number.json": "[7]",
        "none.json": '{"change": []}',
    }.items():
        Path(name).write_text(text)


@pytest.mark.usefixtures("rubble")
@pytest.mark.parametrize("line", WRONG)
def test_wrong_input_gives_one_message_and_exit_code_2(run, line) -> None:
    before = sorted(Path.cwd().rglob("*"))
    done = run(line)
    assert done.code == 2
    assert done.out == ""
    last = done.err.splitlines()
    assert last[0].startswith("nettwin: ") and "Traceback" not in done.err
    assert WRONG[line] in done.err
    assert sorted(Path.cwd().rglob("*")) == before  # and nothing is left behind


def test_a_missing_extra_names_its_command(run, net, monkeypatch) -> None:
    for name in [name for name in sys.modules if name.split(".")[0] == "matplotlib"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr("nettwin.interfaces.plots.figure.find_spec", lambda _: None)
    done = run("predict net.yaml --plot map.svg")
    assert (done.code, done.out) == (2, "")
    assert done.err == "nettwin: plotting needs an extra: pip install 'nettwin[plot]'\n"


@pytest.fixture
def failing(monkeypatch) -> None:
    def fail(*_, **__):
        raise RuntimeError("the moon is full")

    monkeypatch.setattr("nettwin.interfaces.cli.sources.read", fail)


@pytest.mark.usefixtures("failing")
def test_an_error_in_nettwin_itself_is_short_unless_debugged(run, monkeypatch) -> None:
    monkeypatch.setenv(program.DEBUG, "")  # restored after the test, whatever --debug sets
    done = run("predict net.yaml")
    assert done.code == 1
    assert done.err.startswith(
        "nettwin: an error in nettwin itself: RuntimeError: the moon is full"
    )
    assert "Traceback" not in done.err
    assert "--debug" in done.err
    debugged = run("--debug predict net.yaml")
    assert debugged.code == 1
    assert "Traceback" in debugged.err


def test_ctrl_c_is_told_in_a_word(run, net, monkeypatch) -> None:
    def interrupt(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("nettwin.interfaces.cli.sources.read", interrupt)
    done = run("predict net.yaml")
    assert done == (130, "", "nettwin: stopped by Ctrl-C; no file is left half written\n")


def test_the_first_start_says_that_it_compiles(run, monkeypatch) -> None:
    asked = []
    monkeypatch.setattr(wiring, "first_start", lambda *names: not asked.append(names))
    done = run("generate ring -o net.yaml")
    assert done.err == f"{engines.COMPILING}\nWrote net.yaml\n"
    assert engines.COMPILING in run("predict net.yaml").err
    assert engines.COMPILING in run("simulate net.yaml --max-packets 1000").err
    assert asked == [(), ("theory",), ("packet",)]


def command(*words: str) -> list[str]:
    return [sys.executable, "-m", "nettwin", *words]


def test_a_reader_that_goes_away_is_no_error(net) -> None:
    """`nettwin ... | head -1`, with more output than a pipe holds."""
    large = command("predict", "net.yaml", "--json")
    with subprocess.Popen(large, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None and process.stderr is not None
        process.stdout.close()
        told = process.stderr.read()
        code = process.wait(timeout=60)
    assert (code, told) == (program.PIPE_CLOSED, b"")


INTERRUPTED = """
import os, signal, sys, threading
from nettwin.interfaces.cli import main
signal.signal(signal.SIGINT, signal.default_int_handler)  # a job in the background ignores it
threading.Timer(1.5, os.kill, (os.getpid(), signal.SIGINT)).start()
sys.argv = "nettwin simulate net.yaml --time 1e6s --csv out --plot out/map.svg".split()
main()
"""


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
def test_a_real_ctrl_c_ends_a_simulation_at_once(net) -> None:
    done = subprocess.run(
        [sys.executable, "-c", INTERRUPTED], capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 130
    assert "Traceback" not in done.stderr
    if done.stdout:  # it came during the simulation: what was simulated is told, and written whole
        assert "Ctrl-C" in done.stdout + done.stderr
        assert sorted(os.listdir("out")) == ["flows.csv", "links.csv", "map.svg", "queues.csv"]
    else:
        assert done.stderr.endswith("nettwin: stopped by Ctrl-C; no file is left half written\n")
        assert os.listdir() == ["net.yaml"]


def test_an_output_without_unicode_still_reads(net) -> None:
    environment = {**os.environ, "PYTHONIOENCODING": "ascii", "COLUMNS": "100"}
    done = subprocess.run(
        command("predict", "net.yaml"), capture_output=True, env=environment, timeout=60
    )
    assert done.returncode == 0, done.stderr
    assert b"Busiest links" in done.stdout
