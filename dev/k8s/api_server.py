"""A real API server with its store, and no nodes: it takes objects or refuses them, as a cluster's would."""

from __future__ import annotations

import http.client
import json
import secrets
import shutil
import socket
import ssl
import subprocess
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from attrs import define, field, frozen

from dev.k8s.tools import Tool

if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import TracebackType

__all__ = ["ApiServer", "Refused"]

_HOST = "127.0.0.1"
_PATIENCE_SECONDS = 120.0
_APPLY = "application/apply-patch+yaml"
_JSON = "application/json"


@frozen(kw_only=True)
class Refused(Exception):
    """The server does not take an object."""

    status: int
    message: str


@define(eq=False)
class ApiServer:
    """An etcd and a kube-apiserver, from the start until :meth:`close`. Both die with this process."""

    _folder: tempfile.TemporaryDirectory[str] = field(
        factory=lambda: tempfile.TemporaryDirectory(prefix="c2kit-k8s-"), init=False
    )
    _processes: list[subprocess.Popen[bytes]] = field(factory=list, init=False)
    _token: str = field(factory=secrets.token_hex, init=False)
    _port: int = field(default=0, init=False)
    _connection: http.client.HTTPSConnection | None = field(default=None, init=False)
    _resources: dict[tuple[str, str], tuple[str, bool]] = field(factory=dict, init=False)
    """By group and version, and kind: the name in paths, and whether it belongs to a namespace."""

    def start(self) -> Self:
        """Start both, and wait until objects are taken. Raises NotBuildable, and TimeoutError with what was said."""
        store, peers, self._port = _free_ports(3)
        folder = Path(self._folder.name)
        (folder / "tokens.csv").write_text(f'{self._token},c2kit,c2kit,"system:masters"\n')
        address = f"http://{_HOST}:{store}"
        self._run(
            Tool.ETCD,
            f"--data-dir={folder / 'etcd'}",
            f"--listen-client-urls={address}",
            f"--advertise-client-urls={address}",
            f"--listen-peer-urls=http://{_HOST}:{peers}",
            "--unsafe-no-fsync",
        )
        key = folder / "certificates" / "apiserver.key"
        self._run(
            Tool.API_SERVER,
            f"--etcd-servers={address}",
            f"--cert-dir={key.parent}",
            f"--bind-address={_HOST}",
            f"--secure-port={self._port}",
            f"--token-auth-file={folder / 'tokens.csv'}",
            "--authorization-mode=RBAC",
            "--service-account-issuer=https://kubernetes.default.svc",
            f"--service-account-key-file={key}",
            f"--service-account-signing-key-file={key}",
            "--service-cluster-ip-range=10.96.0.0/16",
            "--endpoint-reconciler-type=none",
        )
        self._wait("/readyz")
        return self

    def __enter__(self) -> Self:
        try:
            return self.start()
        except BaseException:
            self.close()
            raise

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End both, and delete what they kept."""
        if self._connection is not None:
            self._connection.close()
        for process in reversed(self._processes):
            process.kill()
            process.wait()
        self._folder.cleanup()

    # -- objects --------------------------------------------------------------------------------

    def define(self, definitions: Iterable[dict[str, Any]]) -> None:
        """Make kinds of objects known, and wait until they are served. What converts versions is left out."""
        wanted = []
        for definition in definitions:
            definition["spec"].pop("conversion", None)  # nobody is there who could convert
            self.apply(definition)
            spec = definition["spec"]
            wanted += [
                (f"{spec['group']}/{each['name']}", spec["names"]["kind"])
                for each in spec["versions"]
                if each["served"]
            ]
        deadline = time.monotonic() + _PATIENCE_SECONDS
        for version, kind in wanted:
            while not self._resource(version, kind):
                if time.monotonic() > deadline:
                    raise TimeoutError(f"{kind} of {version} is not served")
                time.sleep(0.1)

    def apply(self, thing: dict[str, Any], *, dry: bool = False) -> list[str]:
        """Apply an object on the server's side; a field that it does not know is an error. Gives its warnings.

        With ``dry``, all is checked and nothing kept. Raises Refused.
        """
        query = "fieldManager=c2kit&force=true&fieldValidation=Strict" + ("&dryRun=All" if dry else "")
        return self._ask("PATCH", f"{self._path(thing)}?{query}", thing, _APPLY)[1]

    def create(self, thing: dict[str, Any], *, dry: bool = False) -> list[str]:
        """Create an object; see :meth:`apply`."""
        path = self._path(thing).rpartition("/")[0]
        return self._ask("POST", f"{path}?fieldValidation=Strict" + ("&dryRun=All" if dry else ""), thing, _JSON)[1]

    def _path(self, thing: dict[str, Any]) -> str:
        version, kind, about = thing["apiVersion"], thing["kind"], thing["metadata"]
        found = self._resource(version, kind)
        if found is None:
            raise Refused(status=404, message=f"there is no kind {kind} in {version}")
        plural, has_namespace = found
        root = f"/apis/{version}" if "/" in version else f"/api/{version}"
        namespace = f"/namespaces/{about.get('namespace', 'default')}" if has_namespace else ""
        return f"{root}{namespace}/{plural}/{about['name']}"

    def _resource(self, version: str, kind: str) -> tuple[str, bool] | None:
        if (version, kind) not in self._resources:
            root = f"/apis/{version}" if "/" in version else f"/api/{version}"
            try:
                found, _ = self._ask("GET", root)
            except Refused:
                return None
            for each in found["resources"]:
                if "/" not in each["name"]:
                    self._resources[version, each["kind"]] = (each["name"], each["namespaced"])
        return self._resources.get((version, kind))

    def _ask(
        self, method: str, path: str, body: dict[str, Any] | None = None, kind: str = _JSON
    ) -> tuple[dict[str, Any], list[str]]:
        if self._connection is None:
            context = ssl._create_unverified_context()  # noqa: SLF001, S323 - on loopback, and we have just made it
            self._connection = http.client.HTTPSConnection(_HOST, self._port, timeout=30, context=context)
        headers = {"Authorization": f"Bearer {self._token}", "Content-Type": kind, "Accept": _JSON}
        try:
            self._connection.request(method, path, None if body is None else json.dumps(body), headers)
            answer = self._connection.getresponse()
            text = answer.read().decode()
        except (OSError, http.client.HTTPException):
            self._connection.close()  # the next request opens it again
            raise
        warnings = answer.headers.get_all("Warning") or []
        if answer.status >= http.HTTPStatus.BAD_REQUEST:
            told = json.loads(text).get("message", text) if text.startswith("{") else text
            raise Refused(status=answer.status, message=told)
        return (json.loads(text) if text.startswith("{") else {}), warnings

    # -- processes ------------------------------------------------------------------------------

    def _run(self, tool: Tool, *arguments: str) -> None:
        program = tool.path()
        setpriv = shutil.which("setpriv")
        command = [*([setpriv, "--pdeathsig", "KILL"] if setpriv else []), str(program), *arguments]
        with (Path(self._folder.name) / f"{program.name}.log").open("wb") as log:
            self._processes.append(subprocess.Popen(command, stdout=log, stderr=log))  # noqa: S603 - our own build

    def _wait(self, path: str) -> None:
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while True:
            try:
                self._ask("GET", path)
            except (OSError, http.client.HTTPException, Refused) as error:
                if time.monotonic() > deadline or any(each.poll() is not None for each in self._processes):
                    raise TimeoutError(f"no API server after all: {error}\n{self._said()}") from error
                time.sleep(0.1)
            else:
                return

    def _said(self) -> str:
        return "\n".join(path.read_text()[-2000:] for path in Path(self._folder.name).glob("*.log"))


def _free_ports(count: int) -> list[int]:
    sockets = [socket.socket() for _ in range(count)]
    try:
        for each in sockets:
            each.bind((_HOST, 0))
        return [each.getsockname()[1] for each in sockets]
    finally:
        for each in sockets:
            each.close()
