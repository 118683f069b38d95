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

from attrs import asdict, frozen

from c2kit.bus.base import BusError, BusUnavailable, Fenced, Received, StreamSpec

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from pathlib import Path

    from c2kit.bus.base import PartitionId, Record

__all__ = ["Store", "StoredStream"]

_FORMAT = 1
_PATIENCE_SECONDS = 5.0
"""How long other users of the file are waited for."""

_SCHEMA = """
CREATE TABLE streams (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    uuid TEXT NOT NULL,
    spec TEXT NOT NULL
);
CREATE TABLE partitions (
    stream INTEGER NOT NULL,
    number INTEGER NOT NULL,
    first INTEGER NOT NULL DEFAULT 0,
    next INTEGER NOT NULL DEFAULT 0,
    size_bytes INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (stream, number)
) WITHOUT ROWID;
CREATE TABLE records (
    id INTEGER PRIMARY KEY,
    stream INTEGER NOT NULL,
    partition INTEGER NOT NULL,
    offset INTEGER NOT NULL,
    lane TEXT NOT NULL,
    published_ns INTEGER NOT NULL,
    value BLOB NOT NULL
);
CREATE UNIQUE INDEX records_by_offset ON records (stream, partition, offset);
CREATE TABLE positions (
    stage TEXT NOT NULL,
    stream INTEGER NOT NULL,
    partition INTEGER NOT NULL,
    offset INTEGER NOT NULL,
    PRIMARY KEY (stage, stream, partition)
) WITHOUT ROWID;
CREATE TABLE snapshots (
    stage TEXT NOT NULL,
    processor TEXT NOT NULL,
    lane TEXT NOT NULL,
    value BLOB NOT NULL,
    PRIMARY KEY (stage, processor, lane)
) WITHOUT ROWID;
CREATE TABLE workers (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    stage TEXT NOT NULL,
    ordinal INTEGER NOT NULL,
    inputs TEXT NOT NULL,
    challenge INTEGER NOT NULL DEFAULT 0,
    answer INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE owners (
    stage TEXT NOT NULL,
    stream INTEGER NOT NULL,
    partition INTEGER NOT NULL,
    worker INTEGER NOT NULL,
    PRIMARY KEY (stage, stream, partition)
) WITHOUT ROWID;
"""


@frozen
class StoredStream:
    """A stream as it stands in the file."""

    id: int
    uuid: str
    spec: StreamSpec


class Store:
    """One connection to a bus file; used by one thread at a time, and closed by any."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._used = threading.RLock()
        self._is_closed = False
        with self._translated():
            self._db = sqlite3.connect(path, timeout=_PATIENCE_SECONDS, isolation_level=None, check_same_thread=False)
            try:
                self._open()
            except BaseException:
                self._db.close()
                raise

    def _open(self) -> None:
        is_new = self._is_new()
        self._write_ahead()
        self._db.execute("PRAGMA synchronous=FULL")
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

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.OperationalError as error:
            raise BusUnavailable(f"the bus file {self._path} cannot be used now: {error}") from error
        except sqlite3.DatabaseError as error:
            raise BusError(
                f"the bus file {self._path} is damaged or is no bus file: {error}; restore it from a copy, or move it "
                "away and begin anew: what its consumers had not passed is lost, and the logs tell how far they got"
            ) from error

    @contextmanager
    def _open_for_use(self) -> Iterator[None]:
        with self._used:
            if self._is_closed:
                raise Fenced(f"this connection to {self._path} was closed; what it had in progress is dropped")
            with self._translated():
                yield

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Everything within, or nothing. Waits up to 5 s for other writers. Raises BusUnavailable, BusError."""
        with self._open_for_use():
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
        with self._open_for_use():
            self._db.execute("BEGIN")
            try:
                yield
            finally:
                if self._db.in_transaction:
                    self._db.execute("COMMIT")

    @contextmanager
    def savepoint(self) -> Iterator[None]:
        """Within a transaction: a part that can fail by itself. Raises BusUnavailable where all of it failed."""
        with self._translated():
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

    def changes(self) -> int:
        """How many rows this connection has changed so far."""
        return self._db.total_changes

    def version(self) -> int:
        """A number that changes when another connection has committed."""
        with self._translated():
            return int(self._db.execute("PRAGMA data_version").fetchone()[0])

    def close(self) -> None:
        """Close the connection, once no thread is within a transaction of it."""
        with self._used:
            self._is_closed = True
            self._db.close()

    # -- streams ------------------------------------------------------------------------------------------------------

    def streams(self) -> dict[str, StoredStream]:
        """All streams by name."""
        rows = self._db.execute("SELECT name, id, uuid, spec FROM streams ORDER BY name")
        return {name: StoredStream(key, unique, _spec(text)) for name, key, unique, text in rows}

    def add_stream(self, spec: StreamSpec) -> None:
        """Create a stream with its partitions."""
        row = (spec.name, uuid.uuid4().hex, json.dumps(asdict(spec)))
        key = self._db.execute("INSERT INTO streams (name, uuid, spec) VALUES (?, ?, ?)", row).lastrowid
        partitions = [(key, number) for number in range(spec.partitions)]
        self._db.executemany("INSERT INTO partitions (stream, number) VALUES (?, ?)", partitions)

    def change_spec(self, stream: StoredStream, spec: StreamSpec) -> None:
        """Store another description of a stream."""
        self._db.execute("UPDATE streams SET spec = ? WHERE id = ?", (json.dumps(asdict(spec)), stream.id))

    def bounds(self, stream: StoredStream) -> list[tuple[int, int, int]]:
        """Oldest offset, next offset and size in bytes of each partition."""
        query = "SELECT first, next, size_bytes FROM partitions WHERE stream = ? ORDER BY number"
        return self._db.execute(query, (stream.id,)).fetchall()

    # -- records ------------------------------------------------------------------------------------------------------

    def append(self, stream: StoredStream, record: Record, now_ns: int) -> None:
        """Put a record at the end of its lane's partition."""
        number = stream.spec.partition_of(record.lane)
        query = (
            "UPDATE partitions SET next = next + 1, size_bytes = size_bytes + ?"
            " WHERE stream = ? AND number = ? RETURNING next"
        )
        (following,) = self._db.execute(query, (len(record.value), stream.id, number)).fetchone()
        row = (stream.id, number, following - 1, record.lane, now_ns, record.value)
        self._db.execute(
            "INSERT INTO records (stream, partition, offset, lane, published_ns, value) VALUES (?, ?, ?, ?, ?, ?)", row
        )

    def read(self, stream: StoredStream, partition: int, offset: int, max_bytes: int) -> list[Received]:
        """Records from ``offset`` on, at most ``max_bytes`` of them but at least one."""
        query = (
            "SELECT offset, lane, published_ns, value FROM records"
            " WHERE stream = ? AND partition = ? AND offset >= ? ORDER BY offset"
        )
        taken: list[Received] = []
        for at, lane, published_ns, value in self._db.execute(query, (stream.id, partition, offset)):
            max_bytes -= len(value)
            if taken and max_bytes < 0:
                break
            taken.append(
                Received(
                    stream=stream.spec.name,
                    partition=partition,
                    offset=at,
                    lane=lane,
                    value=value,
                    published_ns=published_ns,
                )
            )
        return taken

    def delete_before(self, stream: StoredStream, partition: int, offset: int) -> None:
        """Delete the records of a partition before an offset."""
        where = (stream.id, partition, offset)
        query = "SELECT total(length(value)) FROM records WHERE stream = ? AND partition = ? AND offset < ?"
        (size,) = self._db.execute(query, where).fetchone()
        self._db.execute("DELETE FROM records WHERE stream = ? AND partition = ? AND offset < ?", where)
        self._db.execute(
            "UPDATE partitions SET first = max(first, min(?, next)), size_bytes = size_bytes - ?"
            " WHERE stream = ? AND number = ?",
            (offset, int(size), stream.id, partition),
        )

    def compact(self, stream: StoredStream, partition: int) -> None:
        """Keep the newest record of each lane of a partition."""
        where = (stream.id, partition)
        self._db.execute(
            "DELETE FROM records WHERE stream = ?1 AND partition = ?2 AND offset NOT IN"
            " (SELECT max(offset) FROM records WHERE stream = ?1 AND partition = ?2 GROUP BY lane)",
            where,
        )
        self._db.execute(
            "UPDATE partitions SET size_bytes ="
            " (SELECT total(length(value)) FROM records WHERE stream = ?1 AND partition = ?2)"
            " WHERE stream = ?1 AND number = ?2",
            where,
        )

    # -- positions and state
    # --------------------------------------------------------------------------------------------

    def position(self, stage: str, stream: StoredStream, partition: int) -> int | None:
        """The next offset that a stage will read, ``None`` where it never passed anything."""
        query = "SELECT offset FROM positions WHERE stage = ? AND stream = ? AND partition = ?"
        row = self._db.execute(query, (stage, stream.id, partition)).fetchone()
        return None if row is None else int(row[0])

    def set_position(self, stage: str, stream: StoredStream, partition: int, offset: int) -> None:
        """Store how far a stage got."""
        row = (stage, stream.id, partition, offset)
        self._db.execute("INSERT OR REPLACE INTO positions (stage, stream, partition, offset) VALUES (?, ?, ?, ?)", row)

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

    def add_worker(self, stage: str, ordinal: int, inputs: Collection[PartitionId]) -> int:
        """Enter a worker; its id is never given again, so that it is the epoch too."""
        row = (stage, ordinal, json.dumps(sorted(inputs)))
        key = self._db.execute("INSERT INTO workers (stage, ordinal, inputs) VALUES (?, ?, ?)", row).lastrowid
        assert key is not None  # noqa: S101 - an INSERT has a row id
        return key

    def remove_worker(self, worker: int) -> None:
        """Strike out a worker and what it owned: from now on it is fenced."""
        self._db.execute("DELETE FROM owners WHERE worker = ?", (worker,))
        self._db.execute("DELETE FROM workers WHERE id = ?", (worker,))

    def workers(self, stage: str) -> list[tuple[int, int, frozenset[PartitionId]]]:
        """Id, ordinal and inputs of a stage's workers, by ordinal."""
        rows = self._db.execute(
            "SELECT id, ordinal, inputs FROM workers WHERE stage = ? ORDER BY ordinal, id", (stage,)
        )
        return [(key, ordinal, _partitions(text)) for key, ordinal, text in rows]

    def is_worker(self, worker: int) -> bool:
        """Whether a worker has not been struck out."""
        return self._db.execute("SELECT 1 FROM workers WHERE id = ?", (worker,)).fetchone() is not None

    def owners(self, stage: str) -> dict[PartitionId, int]:
        """Which worker owns which partition of a stage's inputs."""
        query = (
            "SELECT streams.name, partition, worker FROM owners"
            " JOIN streams ON streams.id = owners.stream WHERE stage = ?"
        )
        return {(name, partition): worker for name, partition, worker in self._db.execute(query, (stage,))}

    def set_owner(self, stage: str, stream: StoredStream, partition: int, worker: int | None) -> None:
        """Give a partition to a worker, or to nobody."""
        if worker is None:
            self._db.execute(
                "DELETE FROM owners WHERE stage = ? AND stream = ? AND partition = ?", (stage, stream.id, partition)
            )
        else:
            row = (stage, stream.id, partition, worker)
            self._db.execute("INSERT INTO owners (stage, stream, partition, worker) VALUES (?, ?, ?, ?)", row)

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
    return StreamSpec(**values | {"lanes": tuple(values["lanes"]), "consumers": tuple(values["consumers"])})


def _partitions(text: str) -> frozenset[PartitionId]:
    return frozenset((name, number) for name, number in json.loads(text))
