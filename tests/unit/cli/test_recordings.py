"""Recordings of any size: constant memory, output as soon as there is input, progress only where somebody looks."""

import io
import os
import pty
import select
import subprocess
import sys
from pathlib import Path

import pytest

from c2kit.cli.recordings import CHUNK_BYTES, chunks, progress
from tests.unit.cli.conftest import status

MEASURED = """
import resource, sys
from c2kit.cli import main
main(sys.argv[1:], standalone_mode=False)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, file=sys.stderr)
"""
"""Runs the command line, and then tells the most memory that it ever had, in KiB."""


def most_memory_kib(mission: Path, recording: Path, form: str) -> int:
    command = [sys.executable, "-c", MEASURED, "decode", "-d", str(mission), "-p", "STATUS", "-f", form]
    done = subprocess.run(
        [*command, "--summary", "none", "-o", os.devnull, str(recording)], check=True, capture_output=True, text=True
    )
    return int(done.stderr)


def test_a_file_comes_in_pieces_of_bounded_size(tmp_path: Path) -> None:
    file = tmp_path / "f"
    data = os.urandom(2 * CHUNK_BYTES + 1)
    file.write_bytes(data)
    pieces = list(chunks(str(file)))
    assert b"".join(pieces) == data
    assert max(map(len, pieces)) <= CHUNK_BYTES


@pytest.mark.skipif(sys.platform != "linux", reason="what ru_maxrss counts in differs")
@pytest.mark.parametrize("form", ["csv", "jsonl", "arrow"])
def test_memory_does_not_grow_with_the_recording(mission: Path, tmp_path: Path, form: str) -> None:
    small, large = tmp_path / "small", tmp_path / "large"
    packets = b"".join(status(count % 2**14) for count in range(2**15))
    small.write_bytes(packets)
    large.write_bytes(packets * 6)
    less, more = (most_memory_kib(mission, recording, form) for recording in (small, large))
    assert more - less < (large.stat().st_size - small.stat().st_size) / 1024 / 2


def test_what_comes_through_a_pipe_is_decoded_at_once(mission: Path) -> None:
    script = "from c2kit.cli import main; main()"
    command = [sys.executable, "-c", script, "decode", "-d", str(mission), "-p", "STATUS", "-i", "COUNT", "-"]
    pipe = subprocess.PIPE
    # No buffer on this side: lines that lie in it are nothing that select could tell.
    with subprocess.Popen(command, bufsize=0, stdin=pipe, stdout=pipe, stderr=pipe) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        for count in range(3):
            process.stdin.write(status(count))
            process.stdin.flush()
            wanted = [b"time,COUNT\n"] if count == 0 else []
            for line in (*wanted, f"1970-01-01T00:00:00.500000000Z,{count}\n".encode()):
                assert select.select([process.stdout], [], [], 30)[0]
                assert process.stdout.readline() == line
        process.stdin.close()
        assert process.wait(30) == 0


def test_progress_is_shown_where_somebody_looks(mission: Path, tmp_path: Path) -> None:
    recording = tmp_path / "r.tlm"
    recording.write_bytes(status(0) * 50_000)
    ours, theirs = pty.openpty()
    script = "from c2kit.cli import main; main()"
    options = ["-p", "STATUS", "--summary", "none", "-o", str(tmp_path / "out.csv")]
    command = [sys.executable, "-c", script, "decode", "-d", str(mission), *options, str(recording)]
    environment = os.environ | {"TERM": "xterm", "COLUMNS": "80"}
    shown = b""
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=theirs, env=environment) as process:
        os.close(theirs)
        while True:
            try:
                piece = os.read(ours, 65536)
            except OSError:  # Linux says so when the other side is closed
                break
            if not piece:
                break
            shown += piece
        assert process.stdout is not None
        assert process.stdout.read() == b""
    os.close(ours)
    assert b"decoding" in shown
    assert b"100%" in shown or b"MB" in shown


def test_no_progress_is_shown_where_nobody_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    stderr = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stderr)
    with progress(["-"], to_stdout=False) as advance:
        advance(10)
    assert stderr.getvalue() == ""


def test_no_progress_is_shown_among_the_values(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    stdout, stderr = Terminal(), Terminal()
    monkeypatch.setattr(sys, "stdout", stdout)
    monkeypatch.setattr(sys, "stderr", stderr)
    with progress(["-"], to_stdout=True) as advance:
        advance(10)
    assert stderr.getvalue() == stdout.getvalue() == ""
