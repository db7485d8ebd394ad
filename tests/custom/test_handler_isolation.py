"""What a handler finds around itself, what it cannot reach, and that nothing of it stays, however it ends."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import grpc
import pytest

from koapy.protocol import KiwoomOpenApiPlusService_pb2 as pb
from koapy.protocol.KiwoomOpenApiPlusService_pb2_grpc import KiwoomOpenApiPlusServiceStub

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

linux = pytest.mark.skipif(sys.platform != "linux", reason="what Linux alone offers")

TOP = """
import json, os, signal, socket, subprocess, sys, time
from koapy.backend.kiwoom_open_api_plus.grpc.KiwoomOpenApiPlusService_pb2 import ListenResponse

def attempt(what):
    try:
        return repr(what())
    except BaseException as error:
        return type(error).__name__

class Handler:
    def __init__(self, control, request, context): pass
    def tell(self, told): self.observer.on_next(ListenResponse(name=json.dumps(told)))
"""


def handler(*lines: str) -> str:
    """A handler that does this at once."""
    return TOP + "    def on_enter(self):\n" + "\n".join(f"        {line}" for line in lines)


async def told(stream: Any) -> Any:
    """What it has told."""
    message = await stream.read()
    assert message is not grpc.aio.EOF
    return json.loads(message.name)


async def test_nothing_of_the_gateway_is_inherited(house: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KOAPY_TOKEN", "geheim")
    monkeypatch.setenv("PYTHONPATH", "geheim")
    inherited = os.open(__file__, os.O_RDONLY)
    os.set_inheritable(inherited, True)
    async with house() as home:
        stream = home.listen(
            handler(
                "names = os.listdir('/proc/self/fd')",
                "files = {name: attempt(lambda: os.readlink('/proc/self/fd/' + name)) for name in names}",
                "self.tell([dict(os.environ), files, os.getcwd(), sys.argv, sys.path])",
            )
        )
        environment, files, folder, arguments, path = await told(stream)
        stream.cancel()
    os.close(inherited)
    assert folder.startswith(home.marker)
    assert environment == {
        "HOME": folder,
        "TMPDIR": folder,
        "PATH": os.defpath,
        "LANG": "C.UTF-8",
        "MALLOC_ARENA_MAX": "2",
        "OPENBLAS_NUM_THREADS": "1",
        "OMP_NUM_THREADS": "1",
        **({"TZ": os.environ["TZ"]} if "TZ" in os.environ else {}),
    }
    # Nothing to read from, one pipe for what it prints, one socket, and the listing itself, which is closed by then.
    kinds = sorted(kind.strip("'").partition(":")[0] for kind in files.values())
    assert kinds == ["/dev/null", "FileNotFoundError", "pipe", "pipe", "socket"]
    assert arguments == ["handler"]
    assert not [entry for entry in path if "geheim" in entry or entry == str(Path.cwd())]


@linux
async def test_what_it_cannot_reach(house: Callable[..., Any], tmp_path: Path) -> None:
    secret = tmp_path / "token"
    secret.write_text("geheim")
    listening = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0)
    port = listening.sockets[0].getsockname()[1]
    attempts = {
        "read a secret": f"open({str(secret)!r}).read()",
        "list a folder": f"os.listdir({str(tmp_path)!r})",
        "write elsewhere": f"open({str(tmp_path / 'new')!r}, 'w')",
        "write among the packages": "open(json.__file__, 'a')",
        "connect": f"socket.create_connection(('127.0.0.1', {port}))",
        "reach a local socket": "socket.socket(socket.AF_UNIX)",
        "kill the gateway": f"os.kill({os.getpid()}, 0)",
        "kill the warden": "os.kill(os.getppid(), 0)",
        "read the gateway's environment": f"open('/proc/{os.getpid()}/environ').read()",
        "raise its limits": "__import__('resource').setrlimit(__import__('resource').RLIMIT_AS, (-1, -1))",
        "change the gateway's priority": f"os.setpriority(os.PRIO_PROCESS, {os.getpid()}, 19)",
        "fork": "os.fork()",
        "run": "subprocess.run(['true'])",
        "become": "os.execv(sys.executable, [sys.executable])",
        "become root again": "os.chroot('.')",
        "write a large file": "open('large', 'wb').write(bytes(2 << 20))",
        "dump core": "__import__('resource').getrlimit(__import__('resource').RLIMIT_CORE)",
        "write at home": "open(os.path.expanduser('~/own'), 'w').write('x')",
        "make a thread": "__import__('threading').Thread(target=print).start()",
    }
    async with house(file_bytes=1 << 20) as home:
        lines = [f"{name!r}: attempt(lambda: {what})," for name, what in attempts.items()]
        stream = home.listen(handler("self.tell({", *lines, "})"))
        found = await told(stream)
        stream.cancel()
    listening.close()
    refused = dict.fromkeys(attempts, "PermissionError")
    assert found == refused | {
        "raise its limits": "ValueError",
        "write a large file": "OSError",
        "dump core": "(0, 0)",
        "write at home": "1",
        "make a thread": "None",
    }
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("lacking", ["folder", "program"])
async def test_a_machine_without_room_for_a_handler_says_so(
    house: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, lacking: str
) -> None:
    if lacking == "folder":
        monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "missing"))
    else:
        monkeypatch.setattr(sys, "executable", str(tmp_path / "missing"))
    async with house() as home:
        ended = await home.ended(handler("self.tell(1)"))
        assert ended[:2] == (grpc.StatusCode.UNAVAILABLE, "HANDLER_START")
        await home.gateway.settled()


async def test_its_folder_goes_even_when_it_makes_that_hard(house: Callable[..., Any]) -> None:
    async with house() as home:
        stream = home.listen(
            handler("os.makedirs('deep/er')", "open('deep/er/file', 'w')", "os.chmod('deep', 0)", "self.tell(1)")
        )
        await told(stream)
        assert len(home.left()) == 3
        stream.cancel()
        await home.clean()


BROOD = (
    handler(
        "def stay():",
        "    for number in range(1, 32):",
        "        if number not in (9, 19): signal.signal(number, signal.SIG_IGN)",
        "    while True: time.sleep(3600)",
        "if not os.fork():",
        "    os.setsid()",
        "    if not os.fork(): stay()",
        "    if not os.fork(): os.execv('/bin/sh', ['sh', '-c', 'trap \"\" TERM; sleep 3600; true'])",
        "    os._exit(0)",
        "os.wait()",
        "if not os.fork(): stay()",
        "self.tell('ready')",
    )
    + """
    def OnReceiveMsg(self, screen, request, code, text):
        if text == "stop": self.stop()
        if text == "exit": os._exit(0)
        if text == "loop":
            while True: pass
"""
)


@linux
@pytest.mark.parametrize("way", ["cancel", "stop", "exit", "loop", "shutdown"])
async def test_what_it_has_started_dies_with_it(house: Callable[..., Any], way: str) -> None:
    async with house(processes=8, event_seconds=1) as home:
        stream = home.listen(BROOD)
        assert await told(stream) == "ready"
        assert len(home.left()) >= 5  # warden, worker, three of the brood, the folder
        if way == "cancel":
            stream.cancel()
        elif way != "shutdown":
            home.control.fire("OnReceiveMsg", "", "", "", way)
            try:
                assert await stream.read() is grpc.aio.EOF
            except grpc.aio.AioRpcError:
                assert way != "stop"
        if way != "shutdown":
            await home.clean()


@linux
async def test_a_killed_warden_takes_the_worker_with_it(house: Callable[..., Any]) -> None:
    async with house() as home:
        stream = home.listen(handler("self.tell(os.getppid())"))
        os.kill(await told(stream), signal.SIGKILL)
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await stream.read()
        assert home.how(caught.value)[:2] == (grpc.StatusCode.ABORTED, "HANDLER_EXITED")
        await home.clean()


GATEWAY = """
import sys, tempfile
tempfile.tempdir = sys.argv[1]
sys.path.insert(0, sys.argv[2])
import doubles
from koapy.handlers.limits import HandlerLimits
from koapy.server import Settings, serve
settings = Settings(custom_handlers=HandlerLimits(start_seconds=60, event_seconds=60, processes=8))
serve(doubles.StrictControl(), port=0, settings=settings, ready=lambda address: print(address, flush=True))
"""


@pytest.fixture
def gateway(marker: str) -> Iterator[subprocess.Popen[str]]:
    """A gateway that can be killed."""
    doubles = Path(__file__).parent.parent / "server"
    process = subprocess.Popen([sys.executable, "-c", GATEWAY, marker, doubles], stdout=subprocess.PIPE, text=True)
    with process:
        yield process
        process.kill()


@linux
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
async def test_a_gateway_that_dies_leaves_no_handler(
    house: Callable[..., Any], gateway: subprocess.Popen[str], how: int
) -> None:
    assert gateway.stdout
    async with house() as home:
        address = (await asyncio.to_thread(gateway.stdout.readline)).strip()
        async with grpc.aio.insecure_channel(address) as channel:
            stub = KiwoomOpenApiPlusServiceStub(channel)
            stream = stub.CustomListen(pb.ListenRequest(code=BROOD, class_name="Handler"))
            looping = stub.CustomListen(
                pb.ListenRequest(code=handler("self.tell(1)", "while True: pass"), class_name="Handler")
            )
            assert await told(stream) == "ready"
            gateway.send_signal(how)
            assert await asyncio.to_thread(gateway.wait, 30) is not None
            await home.clean()
            stream.cancel()
            looping.cancel()
