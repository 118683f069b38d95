"""The jars of a broker: fetched once by Maven into a cache of this user, and prepared so that brokers start quickly."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from attrs import frozen

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["MEASURED_FLAGS", "Installation", "NotInstallable"]

HERE = Path(__file__).parent
_PLUGIN = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies"
_FLAGS = ("-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xmx256m")
"""What makes a broker small and quick to start."""
MEASURED_FLAGS = ("-XX:TieredStopAtLevel=4", "-Xmx512m")
"""What one that is measured has in their place: the compiler C2, as in operation, and more memory."""


class NotInstallable(Exception):
    """There is no Kafka on this machine, and what it takes to get it is not here either."""


@frozen
class Installation:
    """A folder with the jars and a class-data archive, which is valid for one Java and these very jars."""

    folder: Path
    java: str

    @classmethod
    def get(cls) -> Installation:
        """The one that the pinned versions ask for, made now where it is missing. Raises NotInstallable."""
        java = shutil.which("java")
        if java is None:
            raise NotInstallable("there is no java on the path: install Java 17 or later")
        cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "c2kit" / "kafka"
        installation = cls(cache / _key(java), java)
        cache.mkdir(parents=True, exist_ok=True)
        with _alone(cache / "lock"):
            if not installation.folder.is_dir():
                _make(installation)
        return installation

    @property
    def archive(self) -> Path:
        """Where the class-data archive is, once :meth:`is_prepared`."""
        return self.folder / "classes.jsa"

    def command(self, main: str, *arguments: str, flags: tuple[str, ...] = ()) -> list[str]:
        """How to run a class of the jars. Flags take the place of ours: of two that say the same the last holds."""
        shared = (f"-XX:SharedArchiveFile={self.archive}", "-Xshare:auto") if self.archive.exists() else ()
        logs = f"-Dlog4j2.configurationFile={HERE / 'log4j2.properties'}"
        return [self.java, *_FLAGS, *flags, *shared, logs, "-cp", f"{self.folder / 'jars'}/*", main, *arguments]


def _key(java: str) -> str:
    """What the cache depends on: the pins and the Java that is there."""
    version = subprocess.run([java, "-version"], capture_output=True, check=True).stderr  # noqa: S603 - it was found
    return hashlib.sha256((HERE / "pom.xml").read_bytes() + version).hexdigest()[:16]


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _make(installation: Installation) -> None:
    """Fetch the jars beside where they belong, and move them there when they are complete."""
    maven = shutil.which("mvn")
    if maven is None:
        raise NotInstallable("there is no mvn on the path, which gets the jars of Apache Kafka: install Maven")
    with tempfile.TemporaryDirectory(dir=installation.folder.parent) as folder:
        shutil.copy(HERE / "pom.xml", folder)
        jars = f"-DoutputDirectory={folder}/new/jars"
        command = [maven, "-q", "-B", "-f", f"{folder}/pom.xml", _PLUGIN, "-DincludeScope=runtime", jars]
        done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - it was found
        if done.returncode != 0:
            raise NotInstallable(f"Maven could not get the jars of Apache Kafka: {done.stdout[-2000:]}")
        Path(folder, "new").rename(installation.folder)
