"""Any log, any crash, any damage: what was acknowledged is there, and nothing is read that was not written."""

from __future__ import annotations

import tempfile
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest import mock

from attrs import define, field, frozen
from hypothesis import given
from hypothesis import strategies as st

from c2kit.storage import LogDamaged, LogSettings, PacketLogReader, PacketLogWriter, files
from tests.logs import STREAM, Logged, batch_of, position, read_all, read_by_the_page, write_blocks

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from c2kit.storage import Finding

TIMES = st.integers(-(2**63) + 1, 2**63 - 1)
PACKETS = st.builds(
    Logged,
    st.binary(max_size=40),
    TIMES,
    st.none() | TIMES,
    interface=st.sampled_from(["fep", "antenna"]),
    definition=st.none(),
    target=st.none(),
    dictionary=st.none(),
    origin=st.just("realtime"),
)
BLOCKS = st.lists(st.lists(PACKETS, min_size=1, max_size=6), min_size=1, max_size=6)


@contextmanager
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as name:
        yield Path(name)


def appended(log: PacketLogWriter, block: Sequence[Logged], offset: int) -> None:
    """Append packets that need not be of one interface, as batches that are."""
    for each in block:
        log.append(batch_of([each]), now_ns=0)
    log.passed([position(offset)], now_ns=0)


def in_reading_order(block: Sequence[Logged]) -> list[Logged]:
    """Within a block, what is of one interface is together."""
    interfaces = list(dict.fromkeys(each.interface for each in block))
    return [each for interface in interfaces for each in block if each.interface == interface]


@given(BLOCKS, st.integers(1, 200))
def test_a_log_holds_what_was_written_to_it(blocks: list[list[Logged]], segment_bytes: int) -> None:
    with folder() as root, mock.patch.object(files, "_datasync"):
        with PacketLogWriter(root, STREAM, settings=LogSettings(segment_bytes=segment_bytes)) as log:
            for offset, block in enumerate(blocks):
                appended(log, block, offset)
                log.sync()
            directory = log.directory
        assert read_all(directory) == [each for block in blocks for each in in_reading_order(block)]
        told = [block for index in sorted(directory.glob("*.idx")) for block in read_by_the_page(index)[1]]
        assert [block.packets for block in told] == blocks
        data = b"".join(path.read_bytes() for path in sorted(directory.glob("*.pkts")))
        assert data == b"".join(each.data for block in blocks for each in block)
        assert list(PacketLogReader(directory).verify()) == []


@frozen
class Done:
    """Something that was done to a disk."""

    what: str
    path: Path = Path()
    place: int = 0
    data: bytes = b""


@define
class Disk:
    """A disk that keeps a crash in mind: what was done, in order, to be done again up to any moment.

    What was synced survives. What was written to a file since it was last synced may be there or not, 16 bytes at a
    time. Of what was done to directories since one was last synced, a beginning survives, as on any file system with a
    journal.
    """

    done: list[Done] = field(factory=list)
    _paths: dict[int, Path] = field(factory=dict)

    @contextmanager
    def watched(self) -> Iterator[None]:
        """See all that a log does to the disk."""
        create, write_at, cut, remove = files.create, files.write_at, files.cut, files.remove
        open_to_write = files.open_to_write

        def seen_to_create(path: Path) -> int:
            self.done.append(Done("create", path))
            descriptor = create(path)
            self._paths[descriptor] = path
            return descriptor

        def seen_to_open(path: Path) -> int:
            descriptor = open_to_write(path)
            self._paths[descriptor] = path
            return descriptor

        def seen_to_write(descriptor: int, pieces: Sequence[bytes], place: int) -> None:
            self.done.append(Done("write", self._paths[descriptor], place, b"".join(pieces)))
            write_at(descriptor, pieces, place)

        def seen_to_cut(descriptor: int, size: int) -> None:
            self.done.append(Done("cut", self._paths[descriptor], size))
            cut(descriptor, size)

        def seen_to_remove(path: Path) -> None:
            if path.exists():
                self.done.append(Done("remove", path))
            remove(path)

        def seen_to_sync(descriptor: int) -> None:
            self.done.append(Done("sync", self._paths[descriptor]))

        with ExitStack() as patches:
            for name, replacement in (
                ("create", seen_to_create),
                ("open_to_write", seen_to_open),
                ("write_at", seen_to_write),
                ("cut", seen_to_cut),
                ("remove", seen_to_remove),
                ("sync_data", seen_to_sync),
                ("sync_directory", lambda _: self.done.append(Done("sync directory"))),
            ):
                patches.enter_context(mock.patch.object(files, name, replacement))
            yield

    def after_crash(self, moment: int, data: st.DataObject) -> dict[Path, bytes]:
        """The files as a crash at that moment may leave them."""
        done = self.done[:moment]
        last = max((index for index, each in enumerate(done) if each.what == "sync directory"), default=-1)
        pending = [index for index, each in enumerate(done) if index > last and each.what in ("create", "remove")]
        forgotten = set(pending[data.draw(st.integers(0, len(pending))) :])
        synced = {each.path: index for index, each in enumerate(done) if each.what == "sync"}
        contents: dict[Path, bytes] = {}
        nameless: set[Path] = set()
        for index, each in enumerate(done):
            if index in forgotten:
                nameless.add(each.path)  # what is done to a file is lost with its name
            elif each.path not in nameless:
                is_safe = index < synced.get(each.path, -1)
                _do_again(contents, each, None if is_safe else data)
        return contents


def _do_again(contents: dict[Path, bytes], done: Done, data: st.DataObject | None) -> None:
    """What is not safe may be done in part only."""
    match done.what:
        case "create":
            contents[done.path] = b""
        case "remove":
            contents.pop(done.path, None)
        case "cut":
            if data is None or data.draw(st.booleans()):
                contents[done.path] = contents[done.path][: done.place]
        case "write":
            content = bytearray(contents[done.path])
            for first in _pieces(len(done.data), data):
                piece, place = done.data[first : first + 16], done.place + first
                content.extend(bytes(max(0, place + len(piece) - len(content))))
                content[place : place + len(piece)] = piece
            contents[done.path] = bytes(content)


def _pieces(size: int, data: st.DataObject | None) -> list[int]:
    """Where those pieces of a write begin that are done."""
    every = list(range(0, size, 16))
    some = "all" if data is None else data.draw(st.sampled_from(["none", "all", "beginning", "any"]))
    if data is not None and some == "beginning":
        return every[: data.draw(st.integers(0, len(every)))]
    if data is not None and some == "any":
        lost = data.draw(st.sets(st.sampled_from(every))) if every else set()
        return [first for first in every if first not in lost]
    return every if some == "all" else []


@define
class Written:
    """What a writer was told, and when it acknowledged what."""

    blocks: list[list[Logged]] = field(factory=list)
    acknowledged: list[tuple[int, int]] = field(factory=list)
    """How much the disk had done when so many blocks were acknowledged."""


def write(root: Path, disk: Disk, script: list[Any], segment_bytes: int) -> Written:
    """Append, sync, give up and open again, as the script says."""
    written = Written()
    chosen = LogSettings(segment_bytes=segment_bytes)
    log = PacketLogWriter(root, STREAM, settings=chosen)
    for step in script:
        if step == "reopen":
            log.close()
            log = PacketLogWriter(root, STREAM, settings=chosen)
        else:
            written.blocks.append(step)
            appended(log, step, len(written.blocks))
            log.sync()
            written.acknowledged.append((len(disk.done), len(written.blocks)))
    log.close()
    return written


@given(
    st.lists(st.just("reopen") | st.lists(PACKETS, min_size=1, max_size=3), min_size=1, max_size=5),
    st.integers(1, 100),
    st.data(),
)
def test_after_a_crash_the_log_is_what_was_acknowledged_and_writing_resumes(
    script: list[Any], segment_bytes: int, data: st.DataObject
) -> None:
    disk = Disk()
    with folder() as root, disk.watched():
        written = write(root, disk, script, segment_bytes)
    for _ in range(4):
        moment = data.draw(st.integers(0, len(disk.done)))
        safe = max((count for when, count in written.acknowledged if when <= moment), default=0)
        left = disk.after_crash(moment, data)
        with folder() as root, mock.patch.object(files, "_datasync"):
            directory = root / STREAM / "0"
            directory.mkdir(parents=True)
            for path, content in left.items():
                (directory / path.name).write_bytes(content)
            check_after_crash(root, written.blocks, safe)


def check_after_crash(root: Path, blocks: list[list[Logged]], safe: int) -> None:
    """All that was acknowledged is there, perhaps one block more, and the next block goes behind it."""
    findings: list[Finding] = []
    flat = [in_reading_order(block) for block in blocks]
    before = read_all(root / STREAM / "0", on_damage=findings.append)
    with PacketLogWriter(root, STREAM) as log:
        reached = log.positions[0].offset if log.positions else 0
        assert reached in (safe, safe + 1)
        expected = [each for block in flat[:reached] for each in block]
        assert before == expected
        assert read_all(log.directory) == expected
        more = [Logged(b"more", 1)]
        log.append(batch_of(more), [position(reached + 1)], now_ns=0)
        log.sync()
        assert read_all(log.directory) == [*expected, *more]
        assert list(PacketLogReader(log.directory).verify()) == []


@given(BLOCKS, st.integers(1, 200), st.data())
def test_damage_of_any_kind_costs_whole_blocks_and_invents_none(
    blocks: list[list[Logged]], segment_bytes: int, data: st.DataObject
) -> None:
    blocks = [[each._replace(interface="fep") for each in block] for block in blocks]
    with folder() as root, mock.patch.object(files, "_datasync"):
        directory = write_blocks(root, blocks, LogSettings(segment_bytes=segment_bytes))
        paths = sorted(directory.iterdir())
        for _ in range(data.draw(st.integers(1, 3))):
            damage(data, paths)
        batches = PacketLogReader(directory).read(on_damage=lambda _: None)
        found = [(list(batch), batch.received.tolist(), batch.generated.to_list()) for batch in batches]
        whole = [
            ([each.data for each in block], [each.received for each in block], [each.generated for each in block])
            for block in blocks
        ]
        assert is_part(found, whole)
        try:
            log = PacketLogWriter(root, STREAM)
        except LogDamaged:
            return
        with log:
            reached = log.positions[0].offset if log.positions else 0
            log.append(batch_of([Logged(b"more", 1)]), [position(reached + 1)], now_ns=0)
            log.sync()
        *_, last = PacketLogReader(directory).read(on_damage=lambda _: None)
        assert list(last) == [b"more"]


def is_part(found: list[Any], whole: list[Any]) -> bool:
    """Whether the one can be made of the other by leaving some out."""
    rest = iter(whole)
    return all(any(each == candidate for candidate in rest) for each in found)


def damage(data: st.DataObject, paths: list[Path]) -> None:
    """Overwrite, cut, lengthen, exchange or remove."""
    path = data.draw(st.sampled_from(paths))
    if not path.exists():
        return
    content = bytearray(path.read_bytes())
    kind = data.draw(st.sampled_from(["overwrite", "overwrite", "cut", "lengthen", "insert", "exchange", "remove"]))
    place = data.draw(st.integers(0, len(content)))
    new = data.draw(st.binary(min_size=1, max_size=20))
    match kind:
        case "overwrite":
            content[place : place + len(new)] = new[: len(content) - place]
        case "cut":
            del content[place:]
        case "lengthen":
            content += new
        case "insert":
            content[place:place] = new
        case "exchange":
            other = data.draw(st.sampled_from(paths))
            content[:] = other.read_bytes() if other.exists() and other.suffix == path.suffix else content
        case "remove":
            path.unlink()
            return
    path.write_bytes(content)
