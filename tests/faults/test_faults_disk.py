"""A journal on a disk that is full, that may only be read, or that gives back something else than was written."""

from __future__ import annotations

import asyncio
import contextlib
import os
import resource
import shutil
import sqlite3
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import grpc
import pytest
from fault_client import client_of, end_of, reason, until, values
from fault_host import Host

from koapy.orders.journal import Journal, read_events, read_orders
from koapy.protocol import gateway_pb2

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="mounts and limits of other processes are Linux's")

CONTROL: dict[str, Any] = {"seed": 3, "answer_delay": 0.01, "login_delay": 0.01, "market_size": 8}
MOUNT = 'mount -t tmpfs -o size=768k tmpfs "$0" && exec "$@"'


def in_mount_namespace(folder: Path) -> tuple[str, ...]:
    """A command in front of another that gives it a small disk of its own at `folder`."""
    if shutil.which("unshare") is None:
        pytest.skip("there is no unshare")
    tried = subprocess.run(
        ["unshare", "-m", "sh", "-c", MOUNT, folder, "true"], capture_output=True, text=True, check=False
    )
    if tried.returncode:
        pytest.skip(f"no mount namespace may be made here: {tried.stderr.strip()}")
    return ("unshare", "-m", "sh", "-c", MOUNT, str(folder))


class Disk:
    """A disk that can be made to refuse, and to take again; `wrapper` stands in front of the server that uses it."""

    wrapper: tuple[str, ...] = ()

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def refuse(self, host: Host) -> None:
        raise NotImplementedError

    def take(self, host: Host) -> None:
        raise NotImplementedError

    def fetch(self, host: Host, journal: Path) -> Path:
        """The journal where this process can read it; the server must be alive."""
        return journal


class FullDisk(Disk):
    """A file system of 768 KB that something else fills."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.wrapper = in_mount_namespace(folder)

    def refuse(self, host: Host) -> None:
        with (self._inside(host) / "filler").open("wb", buffering=0) as filler:
            for size in (65536, 4096, 512, 1):
                with contextlib.suppress(OSError):
                    while filler.write(b"x" * size) == size:
                        pass

    def take(self, host: Host) -> None:
        (self._inside(host) / "filler").unlink()

    def fetch(self, host: Host, journal: Path) -> Path:
        there = self.folder.parent / "fetched"
        shutil.copytree(self._inside(host), there)
        return there / journal.name

    def _inside(self, host: Host) -> Path:
        return type(self.folder)(f"/proc/{host.pid}/root{self.folder}")


class SizeLimit(Disk):
    """No file may grow, nor be written beyond its first byte: writes fail with EFBIG."""

    def refuse(self, host: Host) -> None:
        resource.prlimit(host.pid, resource.RLIMIT_FSIZE, (1, resource.RLIM_INFINITY))

    def take(self, host: Host) -> None:
        resource.prlimit(host.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))


@pytest.mark.parametrize("kind", [FullDisk, SizeLimit])
async def test_orders_stop_and_events_wait_while_the_disk_refuses(tmp_path: Path, kind: Callable[[Path], Disk]) -> None:
    folder = tmp_path / "state"
    folder.mkdir()
    disk = kind(folder)
    journal = folder / "orders.sqlite"
    with Host(control=CONTROL, journal=journal, wrapper=disk.wrapper) as host:
        async with client_of(host) as client:
            assert await end_of(client.order("bought"), []) is None
            opened: list[Any] = []
            opening = asyncio.create_task(end_of(client.order("open", "00", host.ready["low"]), opened))
            await until(lambda: len(opened) == 3)  # OnReceiveMsg, OnReceiveTrData, 접수
            number = values(opened[-1])["주문번호"]
            heard: list[Any] = []
            listening = client.listen(1)
            reading = asyncio.create_task(end_of(listening, heard))
            sent = await client.sent()
            assert sent == 2
            last = (await client.gateway.Status(gateway_pb2.StatusRequest())).last_sequence
            await until(lambda: len(heard) >= last)

            disk.refuse(host)
            refused = await end_of(client.order("refused"), [])
            assert refused is not None
            assert (refused.code(), reason(refused)) == (grpc.StatusCode.UNAVAILABLE, "JOURNAL_FAILED")
            assert await client.sent() == sent, "an order reached the control that the journal does not have"
            await client.until_serving(serving=False)
            state = await client.gateway.Status(gateway_pb2.StatusRequest())
            assert (state.serving, state.state) == (False, "JOURNAL_FAILED")
            # From outside, as another program of the same account does it: events that nobody could prevent.
            account, code = host.ready["accounts"][0], host.ready["codes"][0]
            cancel = ("남의주문", "5555", account, 3, code, 1, 0, "00", number)
            assert (await asyncio.to_thread(host.ask, "call", "SendOrder", *cancel))["value"] == 0
            for stream in (reading, opening):
                ended = await asyncio.wait_for(stream, 20)
                assert ended is not None
                assert (ended.code(), reason(ended)) == (grpc.StatusCode.UNAVAILABLE, "JOURNAL_FAILED")
            assert [each.sequence for each in heard] == list(range(1, last + 1)), "told before it was on disk, or twice"

            disk.take(host)
            await client.until_serving(serving=True)
            assert await end_of(client.order("refused"), []) is None, "the key of an order that was not sent is free"
            assert await client.sent() == sent + 2  # the cancellation from outside is one
            again: list[Any] = []
            resumed = asyncio.create_task(end_of(client.listen(last + 1), again))
            now = (await client.gateway.Status(gateway_pb2.StatusRequest())).last_sequence
            await until(lambda: len(again) >= now - last)
            resumed.cancel()
            await asyncio.gather(resumed, return_exceptions=True)
            assert [each.sequence for each in again] == list(range(last + 1, now + 1))
            assert "확인" in [values(each).get("주문상태") for each in again], "what happened while the disk refused"
            rejoined = client.order("open", "00", host.ready["low"])
            assert await asyncio.wait_for(end_of(rejoined, []), 20) is None, (
                "an order that was cancelled meanwhile is over"
            )
            assert await client.sent() == sent + 2
        kept = disk.fetch(host, journal)
        events = read_events(kept)
        assert [each.sequence for each in events] == list(range(1, len(events) + 1))
        assert sorted(record.key for record in read_orders(kept) if record.key) == ["bought", "open", "refused"]


def last_words(tmp_path: Path, journal: Path, *wrapper: str) -> str:
    """How a server that cannot use its journal ends."""
    command = [*wrapper, sys.executable, "-m", "koapy", "serve", "--port", "0", "--journal", str(journal)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, cwd=tmp_path)
    assert done.returncode == 1, done.stderr
    assert "Traceback" not in done.stderr
    return done.stderr


@pytest.mark.parametrize("name", ["orders.sqlite", "new.sqlite"])
def test_a_disk_that_may_only_be_read_is_a_clear_error_at_the_start(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "state"
    folder.mkdir()
    with Host(control=CONTROL, journal=folder / "orders.sqlite"):
        pass
    if in_mount_namespace(tmp_path / "state"):
        mount = 'mount --bind "$0" "$0" && mount -o remount,bind,ro "$0" && exec "$@"'
        said = last_words(tmp_path, folder / name, "unshare", "-m", "sh", "-c", mount, str(folder))
    assert name in said
    assert "journal" in said


def test_a_full_disk_is_a_clear_error_at_the_start(tmp_path: Path) -> None:
    folder = tmp_path / "state"
    folder.mkdir()
    in_mount_namespace(folder)
    fill = 'mount -t tmpfs -o size=64k tmpfs "$0" && ! head -c 100000 /dev/zero > "$0/filler" 2>/dev/null; exec "$@"'
    said = last_words(tmp_path, folder / "orders.sqlite", "unshare", "-m", "sh", "-c", fill, str(folder))
    assert "journal" in said
    assert "orders.sqlite" in said


def damage_random(journal: Path) -> None:
    assert not journal.with_name("orders.sqlite-wal").exists(), "what is left by a clean stop is one file"
    journal.write_bytes(os.urandom(64 * 1024))


def damage_truncated(journal: Path) -> None:
    with sqlite3.connect(journal) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    os.truncate(journal, journal.stat().st_size // 2)


def damage_newer(journal: Path) -> None:
    with sqlite3.connect(journal) as connection:
        connection.execute("PRAGMA user_version = 9999")
    connection.close()


def damage_other(journal: Path) -> None:
    journal.unlink()
    for rest in journal.parent.glob("orders.sqlite-*"):
        rest.unlink()
    with sqlite3.connect(journal) as connection:
        connection.execute("CREATE TABLE cookies (name TEXT)")
    connection.close()


def damage_folder(journal: Path) -> None:
    journal.unlink()
    journal.mkdir()


@pytest.mark.parametrize("damage", [damage_random, damage_truncated, damage_newer, damage_other, damage_folder])
def test_a_file_that_is_no_journal_of_this_version_is_a_clear_error_and_stays_as_it_is(
    tmp_path: Path, damage: Callable[[Path], None]
) -> None:
    journal = tmp_path / "orders.sqlite"
    with Host(control=CONTROL, journal=journal) as host:
        asyncio.run(trade(host))
    damage(journal)
    before = journal.read_bytes() if journal.is_file() else b""
    said = last_words(tmp_path, journal)
    assert "journal" in said
    assert "orders.sqlite" in said
    assert (journal.read_bytes() if journal.is_file() else b"") == before


async def trade(host: Host, count: int = 3) -> list[int]:
    """A few orders, and the numbers of their events."""
    async with client_of(host) as client:
        numbers = []
        for _ in range(count):
            told: list[Any] = []
            assert await end_of(client.order(os.urandom(8).hex()), told) is None
            numbers += [message.sequence for message in told]
        return numbers


def test_a_log_cut_short_by_a_crash_costs_what_was_cut_and_nothing_else(tmp_path: Path) -> None:
    """A write-ahead log whose end never reached the disk: what stands before it is there, and numbers go on from it."""
    journal = tmp_path / "orders.sqlite"
    host = Host(control=CONTROL, journal=journal).start()
    asyncio.run(trade(host))
    host.kill()
    log = tmp_path / "orders.sqlite-wal"
    written = len(log.read_bytes().rstrip(b"\0"))  # it has its size from the beginning on
    assert written > 8192
    os.truncate(log, written * 2 // 3)
    kept = [event.sequence for event in read_events(journal)]
    assert kept == list(range(1, len(kept) + 1))
    with Host(control=CONTROL, journal=journal) as host:
        asyncio.run(trade(host))
    after = [event.sequence for event in read_events(journal)]
    assert after == list(range(1, len(after) + 1))
    assert len(after) > len(kept)


def test_a_journal_in_use_is_refused_with_the_reason(tmp_path: Path) -> None:
    journal = tmp_path / "orders.sqlite"
    with Host(control=CONTROL, journal=journal) as host:
        said = last_words(tmp_path, journal)
        assert "orders.sqlite" in said
        assert str(host.pid) in said or "another" in said
        asyncio.run(trade(host))
    with Host(control=CONTROL, journal=journal):
        pass  # free again


def test_a_waiter_that_goes_is_no_failure_of_the_journal(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Found by fuzzing: a call that was cancelled had cancelled what the journal's thread was about to tell."""
    journal = Journal(tmp_path / "orders.sqlite")
    for number in range(50):
        assert not journal.halt("somebody", str(number)).cancel(), "it is under way"
    journal.close()
    assert [record for record in caplog.records if record.levelname == "ERROR"] == []
    assert journal.halted is not None
    assert journal.halted.reason == "49"
