"""The tables of a bus file, and every statement that is made to them.

All functions work within a transaction that their caller opened; none of them commits. ``connect`` and ``transaction``
turn what SQLite says into the errors of the contract, so that no other module of the bus knows of ``sqlite3``.
"""

from __future__ import annotations

import json
import sqlite3
import threading
import time
import uuid
from contextlib import contextmanager
from typing import TYPE_CHECKING

from attrs import asdict, define, field, frozen

from c2kit.bus.base import BusError, BusUnavailable, Fenced, Received, StreamSpec

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence
    from pathlib import Path

    from c2kit.bus.base import PartitionId, Record

__all__ = ["Changes", "Store", "StoredStream", "StoredWorker"]

_FORMAT = 2
_PATIENCE_SECONDS = 5.0
"""How long other users of the file are waited for."""
_OFFSETS = 2**40
"""How many records a partition can have in all."""

_SCHEMA = """
CREATE TABLE streams (
    name TEXT PRIMARY KEY,
    uuid TEXT NOT NULL,
    spec TEXT NOT NULL,
    first_partition INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE partitions (
    id INTEGER PRIMARY KEY,
    first INTEGER NOT NULL DEFAULT 0,
    next INTEGER NOT NULL DEFAULT 0,
    size_bytes INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE records (
    id INTEGER PRIMARY KEY,
    lane TEXT NOT NULL,
    published_ns INTEGER NOT NULL,
    value BLOB NOT NULL
);
CREATE TABLE positions (
    stage TEXT NOT NULL,
    partition INTEGER NOT NULL,
    offset INTEGER NOT NULL,
    PRIMARY KEY (stage, partition)
) WITHOUT ROWID;
CREATE TABLE snapshots (
    stage TEXT NOT NULL,
    processor TEXT NOT NULL,
    lane TEXT NOT NULL,
    value BLOB NOT NULL,
    PRIMARY KEY (stage, processor, lane)
) WITHOUT ROWID;
CREATE TABLE stages (
    name TEXT PRIMARY KEY,
    version INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE workers (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    stage TEXT NOT NULL,
    ordinal INTEGER NOT NULL,
    is_exclusive INTEGER NOT NULL,
    inputs TEXT NOT NULL,
    challenge INTEGER NOT NULL DEFAULT 0,
    answer INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX workers_by_stage ON workers (stage);
CREATE TABLE owners (
    stage TEXT NOT NULL,
    partition INTEGER NOT NULL,
    worker INTEGER NOT NULL,
    PRIMARY KEY (stage, partition)
) WITHOUT ROWID;
CREATE INDEX owners_by_worker ON owners (worker);
"""


@frozen
class StoredStream:
    """A stream as it stands in the file. Its partitions have numbers of their own there, one after the other."""

    spec: StreamSpec
    uuid: str
    first_partition: int
    _numbers: dict[str, int] = field(factory=dict, eq=False, repr=False)

    def number_of(self, lane: str) -> int:
        """The number of a lane's partition, looked up once."""
        number = self._numbers.get(lane)
        if number is None:
            number = self._numbers[lane] = self.spec.partition_of(lane)
        return number

    @property
    def partitions(self) -> range:
        """The ids of its partitions."""
        return range(self.first_partition, self.first_partition + self.spec.partitions)


@frozen
class StoredWorker:
    """A worker that was entered and not struck out. Ids are never given again, so that they are epochs too."""

    id: int
    ordinal: int
    is_exclusive: bool
    inputs: frozenset[PartitionId]


@define
class Changes:
    """What a transaction changed, as far as others wait for it."""

    published: dict[int, int] = field(factory=dict)
    """The next offset of each partition that grew."""
    touched: set[str] = field(factory=set)
    """The streams that grew or were read."""
    stages: dict[str, int] = field(factory=dict)
    """The version of each stage in which somebody came, went, or changed what is owned."""
    frees: bool = False
    """Whether records were passed or deleted, so that there may be room again."""

    def add(self, other: Changes) -> None:
        """Take in what another part of the transaction changed."""
        self.published |= other.published
        self.touched |= other.touched
        self.stages |= other.stages
        self.frees |= other.frees

    def __bool__(self) -> bool:
        return bool(self.published or self.touched or self.stages or self.frees)


class Store:
    """One connection to a bus file; used by one thread at a time, and closed by any."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._absolute = path.absolute()  # wherever the program goes
        self._used = threading.RLock()
        self._is_closed = False
        self.changes = Changes()
        """What was changed since somebody put a fresh one here."""
        try:
            self._db = sqlite3.connect(path, timeout=_PATIENCE_SECONDS, isolation_level=None, check_same_thread=False)
            try:
                self._file = self._file_there()
                self._open()
            except BaseException:
                self._db.close()
                raise
        except sqlite3.DatabaseError as error:
            raise self._error(error) from error

    def _open(self) -> None:
        is_new = self._is_new()
        self._write_ahead()
        self._db.execute("PRAGMA synchronous=FULL")
        self._db.execute("PRAGMA secure_delete=OFF")  # some builds of SQLite write zeros over all that is deleted
        if is_new:
            with self.transaction():
                if self._is_new():
                    for statement in _SCHEMA.split(";"):
                        self._db.execute(statement)
                    self._db.execute(f"PRAGMA user_version={_FORMAT}")

    def _is_new(self) -> bool:
        """Whether the file is empty. Raises BusError for what is neither that nor a bus of this format."""
        query = "SELECT (SELECT user_version FROM pragma_user_version), (SELECT count(*) FROM sqlite_schema)"
        found, tables = self._db.execute(query).fetchone()
        if found == 0 and tables:
            raise BusError(f"{self._path} is a database of another program, not a bus file; choose another path")
        if found not in (0, _FORMAT):
            raise BusError(
                f"{self._path} is a bus file of format {found}, this c2kit writes {_FORMAT}; "
                "drain it with the c2kit that made it"
            )
        return bool(found == 0)

    def _write_ahead(self) -> None:
        """Choose the journal; here SQLite itself does not wait for others who are opening the file, so this does."""
        deadline = time.monotonic() + _PATIENCE_SECONDS
        mode = ""
        while not mode:
            try:
                (mode,) = self._db.execute("PRAGMA journal_mode=WAL").fetchone()
            except sqlite3.OperationalError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.01)
        if mode != "wal":
            raise BusError(f"{self._path} cannot have a write-ahead log on this file system; choose a local disk")

    def _error(self, error: sqlite3.DatabaseError) -> BusError:
        """What the contract says of what SQLite says."""
        if isinstance(error, sqlite3.OperationalError):
            return BusUnavailable(f"the bus file {self._path} cannot be used now: {error}")
        return BusError(
            f"the bus file {self._path} is damaged or is no bus file: {error}; restore it from a copy, or move it "
            "away and begin anew: what its consumers had not passed is lost, and the logs tell how far they got"
        )

    @contextmanager
    def connected(self) -> Iterator[None]:
        """What is done within is done by this thread alone; each statement is a view of the file by itself."""
        with self._used:
            if self._is_closed:
                raise Fenced(f"this connection to {self._path} was closed; what it had in progress is dropped")
            self._check_there()
            try:
                yield
            except sqlite3.DatabaseError as error:
                raise self._error(error) from error

    def _file_there(self) -> tuple[int, int] | None:
        """Which file it is that others find by the path."""
        try:
            found = self._absolute.stat()
        except FileNotFoundError:
            return None
        return found.st_dev, found.st_ino

    @property
    def is_there(self) -> bool:
        """Whether the file is the one that others find by the path."""
        return self._file_there() == self._file

    def _check_there(self) -> None:
        """What is committed to a file that others do not find is lost, and nobody would be fenced."""
        if not self.is_there:
            raise BusError(
                f"the bus file {self._path} was removed or replaced while it was in use; what its consumers had not "
                "passed is lost unless it is moved back, and the logs tell how far they got"
            )

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Everything within, or nothing. Waits up to 5 s for other writers. Raises BusUnavailable, BusError."""
        with self.connected():
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._db.execute("COMMIT")
            except BaseException:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                raise

    @contextmanager
    def reading(self) -> Iterator[None]:
        """A consistent view of the file for what is read within."""
        with self.connected():
            self._db.execute("BEGIN")
            try:
                yield
            finally:
                if self._db.in_transaction:
                    self._db.execute("COMMIT")

    @contextmanager
    def savepoint(self) -> Iterator[None]:
        """Within a transaction: a part that can fail by itself. Raises BusUnavailable where all of it failed."""
        try:
            self._db.execute("SAVEPOINT part")
            try:
                yield
            except BaseException as error:
                # A full disk rolls the whole transaction back: what came after would be committed by itself.
                if not self._db.in_transaction:
                    raise BusUnavailable(f"the bus file {self._path} cannot be used now: {error}") from error
                self._db.execute("ROLLBACK TO part")
                self._db.execute("RELEASE part")
                raise
            self._db.execute("RELEASE part")
        except sqlite3.DatabaseError as error:
            raise self._error(error) from error

    def version(self) -> int:
        """A number that changes when another connection has committed."""
        with self.connected():
            return int(self._db.execute("PRAGMA data_version").fetchone()[0])

    def close(self) -> None:
        """Close the connection, once no thread is within a transaction of it."""
        with self._used:
            self._is_closed = True
            self._db.close()

    # -- streams ------------------------------------------------------------------------------------------------------

    def streams(self, names: Iterable[str] | None = None) -> dict[str, StoredStream]:
        """All streams by name, or those of these that there are."""
        query = "SELECT name, uuid, spec, first_partition FROM streams"
        if names is None:
            rows = self._db.execute(f"{query} ORDER BY name").fetchall()
        else:
            rows = [row for name in names for row in self._db.execute(f"{query} WHERE name = ?", (name,))]
        return {name: StoredStream(_spec(text), unique, first) for name, unique, text, first in rows}

    def add_stream(self, spec: StreamSpec) -> None:
        """Create a stream with its partitions."""
        (first,) = self._db.execute("SELECT coalesce(max(id), 0) + 1 FROM partitions").fetchone()
        row = (spec.name, uuid.uuid4().hex, json.dumps(asdict(spec)), first)
        self._db.execute("INSERT INTO streams (name, uuid, spec, first_partition) VALUES (?, ?, ?, ?)", row)
        partitions = [(first + number,) for number in range(spec.partitions)]
        self._db.executemany("INSERT INTO partitions (id) VALUES (?)", partitions)

    def change_spec(self, spec: StreamSpec) -> None:
        """Store another description of a stream."""
        self._db.execute("UPDATE streams SET spec = ? WHERE name = ?", (json.dumps(asdict(spec)), spec.name))
        self.changes.touched.add(spec.name)

    def bounds(self, stream: StoredStream) -> list[tuple[int, int, int]]:
        """Oldest offset, next offset and size in bytes of each partition."""
        ids = stream.partitions
        query = "SELECT first, next, size_bytes FROM partitions WHERE id >= ? AND id < ? ORDER BY id"
        return self._db.execute(query, (ids.start, ids.stop)).fetchall()

    def oldest_ns(self, stream: StoredStream) -> int | None:
        """When the oldest record of a stream was published."""
        query = "SELECT published_ns FROM records WHERE id >= ? AND id < ? ORDER BY id LIMIT 1"
        return min(self._published_ns(stream, query), default=None)

    def newest_ns(self, stream: StoredStream) -> int | None:
        """When the newest record of a stream was published."""
        query = "SELECT published_ns FROM records WHERE id >= ? AND id < ? ORDER BY id DESC LIMIT 1"
        return max(self._published_ns(stream, query), default=None)

    def _published_ns(self, stream: StoredStream, query: str) -> list[int]:
        """What a query finds in each partition."""
        found = [
            self._db.execute(query, (partition * _OFFSETS, (partition + 1) * _OFFSETS)).fetchone()
            for partition in stream.partitions
        ]
        return [row[0] for row in found if row is not None]

    def next_offsets(self) -> dict[int, int]:
        """Of all partitions."""
        return dict(self._db.execute("SELECT id, next FROM partitions"))

    # -- records ------------------------------------------------------------------------------------------------------

    def append(
        self, stream: StoredStream, bounds: Sequence[tuple[int, int, int]], records: Sequence[Record], now_ns: int
    ) -> None:
        """Put records of one stream, whose bounds are these, at the ends of their lanes' partitions."""
        shares: dict[int, list[Record]] = {}
        for record in records:
            shares.setdefault(stream.number_of(record.lane), []).append(record)
        for number, share in shares.items():
            partition = stream.partitions[number]
            _, begin, size = bounds[number]
            following = begin + len(share)
            size += sum(len(record.value) for record in share)
            first = partition * _OFFSETS + begin
            rows = [(first + index, record.lane, now_ns, record.value) for index, record in enumerate(share)]
            self._db.executemany("INSERT INTO records (id, lane, published_ns, value) VALUES (?, ?, ?, ?)", rows)
            row = (following, size, partition)
            self._db.execute("UPDATE partitions SET next = ?, size_bytes = ? WHERE id = ?", row)
            self.changes.published[partition] = following
        self.changes.touched.add(stream.spec.name)

    def read(self, stream: StoredStream, number: int, offset: int, max_bytes: int) -> list[Received]:
        """Records of a partition from ``offset`` on, at most ``max_bytes`` of them but at least one."""
        zero = stream.partitions[number] * _OFFSETS
        query = "SELECT id, lane, published_ns, value FROM records WHERE id >= ? AND id < ? ORDER BY id"
        taken: list[Received] = []
        for key, lane, published_ns, value in self._db.execute(query, (zero + offset, zero + _OFFSETS)):
            max_bytes -= len(value)
            if taken and max_bytes < 0:
                break
            taken.append(
                Received(
                    stream=stream.spec.name,
                    partition=number,
                    offset=key - zero,
                    lane=lane,
                    value=value,
                    published_ns=published_ns,
                )
            )
        return taken

    def delete_before(self, stream: StoredStream, number: int, offset: int) -> None:
        """Delete the records of a partition before an offset."""
        partition = stream.partitions[number]
        where = (partition * _OFFSETS, partition * _OFFSETS + offset)
        query = "SELECT total(length(value)) FROM records WHERE id >= ? AND id < ?"
        (size,) = self._db.execute(query, where).fetchone()
        self._db.execute("DELETE FROM records WHERE id >= ? AND id < ?", where)
        self._db.execute(
            "UPDATE partitions SET first = max(first, min(?, next)), size_bytes = size_bytes - ? WHERE id = ?",
            (offset, int(size), partition),
        )
        self.changes.frees = True

    def compact(self, stream: StoredStream, number: int) -> None:
        """Keep the newest record of each lane of a partition."""
        partition = stream.partitions[number]
        where = (partition * _OFFSETS, (partition + 1) * _OFFSETS)
        self._db.execute(
            "DELETE FROM records WHERE id >= ?1 AND id < ?2 AND id NOT IN"
            " (SELECT max(id) FROM records WHERE id >= ?1 AND id < ?2 GROUP BY lane)",
            where,
        )
        self._db.execute(
            "UPDATE partitions SET size_bytes ="
            " (SELECT total(length(value)) FROM records WHERE id >= ?1 AND id < ?2) WHERE id = ?3",
            (*where, partition),
        )

    # -- positions and state
    # --------------------------------------------------------------------------------------------

    def position(self, stage: str, stream: StoredStream, number: int) -> int | None:
        """The next offset that a stage will read, ``None`` where it never passed anything."""
        query = "SELECT offset FROM positions WHERE stage = ? AND partition = ?"
        row = self._db.execute(query, (stage, stream.partitions[number])).fetchone()
        return None if row is None else int(row[0])

    def set_position(self, stage: str, stream: StoredStream, number: int, offset: int) -> None:
        """Store how far a stage got."""
        row = (stage, stream.partitions[number], offset)
        self._db.execute("INSERT OR REPLACE INTO positions (stage, partition, offset) VALUES (?, ?, ?)", row)
        self.changes.touched.add(stream.spec.name)
        self.changes.frees = True

    def snapshot(self, stage: str, processor: str, lane: str) -> bytes | None:
        """The state that a stage keeps for a processor and lane."""
        query = "SELECT value FROM snapshots WHERE stage = ? AND processor = ? AND lane = ?"
        row = self._db.execute(query, (stage, processor, lane)).fetchone()
        return None if row is None else row[0]

    def set_snapshot(self, stage: str, processor: str, lane: str, value: bytes) -> None:
        """Store the state of a processor and lane."""
        row = (stage, processor, lane, value)
        self._db.execute("INSERT OR REPLACE INTO snapshots (stage, processor, lane, value) VALUES (?, ?, ?, ?)", row)

    # -- who works on what
    # ----------------------------------------------------------------------------------------------

    def add_worker(self, stage: str, ordinal: int, inputs: Collection[PartitionId], *, exclusive: bool) -> int:
        """Enter a worker; its id."""
        row = (stage, ordinal, exclusive, json.dumps(sorted(inputs)))
        query = "INSERT INTO workers (stage, ordinal, is_exclusive, inputs) VALUES (?, ?, ?, ?)"
        key = self._db.execute(query, row).lastrowid
        assert key is not None  # noqa: S101 - an INSERT has a row id
        self._regrouped(stage)
        return key

    def remove_worker(self, worker: int) -> None:
        """Strike out a worker and what it owned: from now on it is fenced."""
        self._db.execute("DELETE FROM owners WHERE worker = ?", (worker,))
        for (stage,) in self._db.execute("DELETE FROM workers WHERE id = ? RETURNING stage", (worker,)).fetchall():
            self._regrouped(stage)

    def workers(self, stage: str) -> list[StoredWorker]:
        """A stage's workers, by ordinal."""
        query = "SELECT id, ordinal, is_exclusive, inputs FROM workers WHERE stage = ? ORDER BY ordinal, id"
        return [
            StoredWorker(key, ordinal, bool(exclusive), _partitions(text))
            for key, ordinal, exclusive, text in self._db.execute(query, (stage,))
        ]

    def is_worker(self, worker: int) -> bool:
        """Whether a worker has not been struck out."""
        return self._db.execute("SELECT 1 FROM workers WHERE id = ?", (worker,)).fetchone() is not None

    def owners(self, stage: str) -> dict[int, int]:
        """Which worker owns which partition (by its id) of a stage's inputs."""
        return dict(self._db.execute("SELECT partition, worker FROM owners WHERE stage = ?", (stage,)))

    def owned(self, worker: int) -> set[int]:
        """The ids of the partitions that a worker owns: of one that was struck out, none."""
        return {
            partition for (partition,) in self._db.execute("SELECT partition FROM owners WHERE worker = ?", (worker,))
        }

    def set_owner(self, stage: str, stream: StoredStream, number: int, worker: int | None) -> None:
        """Give a partition to a worker, or to nobody."""
        where = (stage, stream.partitions[number])
        if worker is None:
            self._db.execute("DELETE FROM owners WHERE stage = ? AND partition = ?", where)
        else:
            self._db.execute("INSERT INTO owners (stage, partition, worker) VALUES (?, ?, ?)", (*where, worker))
        self._regrouped(stage)

    def _regrouped(self, stage: str) -> None:
        query = (
            "INSERT INTO stages (name, version) VALUES (?, 1)"
            " ON CONFLICT (name) DO UPDATE SET version = version + 1 RETURNING version"
        )
        (self.changes.stages[stage],) = self._db.execute(query, (stage,)).fetchone()

    def stages(self) -> dict[str, int]:
        """A number for each stage that rises whenever somebody came, went, or changed what is owned."""
        return dict(self._db.execute("SELECT name, version FROM stages"))

    def challenge(self, worker: int) -> int:
        """Ask a worker's process for a sign of life; the number that it is to answer with."""
        query = "UPDATE workers SET challenge = challenge + 1 WHERE id = ? RETURNING challenge"
        row = self._db.execute(query, (worker,)).fetchone()
        return 0 if row is None else int(row[0])

    def answered(self, worker: int) -> int | None:
        """The last challenge that a worker's process answered; ``None`` where the worker is gone."""
        row = self._db.execute("SELECT answer FROM workers WHERE id = ?", (worker,)).fetchone()
        return None if row is None else int(row[0])

    def is_challenged(self, workers: Collection[int]) -> bool:
        """Whether one of these workers has an answer to give."""
        query = "SELECT id FROM workers WHERE challenge > answer"
        return any(key in workers for (key,) in self._db.execute(query))

    def answer(self, workers: Collection[int]) -> None:
        """Give the sign of life that was asked for."""
        self._db.executemany("UPDATE workers SET answer = challenge WHERE id = ?", [(key,) for key in workers])


def _spec(text: str) -> StreamSpec:
    values = json.loads(text)
    lists = {name: tuple(values.get(name, ())) for name in ("lanes", "consumers", "members")}
    return StreamSpec(**values | lists)


def _partitions(text: str) -> frozenset[PartitionId]:
    return frozenset((name, number) for name, number in json.loads(text))
