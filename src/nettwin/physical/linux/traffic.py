"""Traffic: the packets of all flows, sent and received by two threads with sockets everywhere.

Compiled code calls the C library and needs no interpreter. A packet carries its flow and the moment
at which it was sent; the kernel says when it came in. A cable here carries a packet at once; the
time in which its links would send and carry it, known exactly, is added to the difference of the
two, packet by packet.
"""

from __future__ import annotations

import contextlib
import os
import resource
import socket
import struct
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numba import types
from numpy.typing import NDArray

from nettwin.compiled import compiled
from nettwin.errors import NetworkError
from nettwin.physical.linux.addresses import FIRST_SOURCE_PORT, PORT, PORTS_A_FLOW, loopback, tos
from nettwin.physical.linux.namespaces import Namespace
from nettwin.physical.linux.schedule import Schedule
from nettwin.scenario.scenario import Scenario

HEADERS_BYTES = 14 + 20 + 8  # Ethernet, IPv4, UDP: packets have the size that links see
MIN_PAYLOAD, MAX_BYTES = 24, 65000
CHUNK_S, MAX_BEHIND_S = 0.25, 1.0
SO_TIMESTAMPNS, SO_SNDBUFFORCE, SO_RCVBUFFORCE = 35, 32, 33
BUFFER_BYTES = 32 << 20
REALTIME = 0
AHEAD = 4096  # rows of a ring that may be written while it is read
STOPPED, SENT, RECEIVED, ERRORS, LATE_NS = range(5)  # places in `Traffic.state`

_i32, _i64, _ptr = types.int32, types.int64, types.intp
_sendto: Any = types.ExternalFunction("sendto", _i64(_i32, _ptr, _i64, _i32, _ptr, _i32))
_recvmsg: Any = types.ExternalFunction("recvmsg", _i64(_i32, _ptr, _i32))
_poll: Any = types.ExternalFunction("poll", _i32(_ptr, _i64, _i32))
_now: Any = types.ExternalFunction("clock_gettime", _i32(_i32, _ptr))
_sleep: Any = types.ExternalFunction("clock_nanosleep", _i32(_i32, _i32, _ptr, _ptr))
DONTWAIT = 0x40
BILLION = 1_000_000_000


@compiled
def play(times_ns, flows, payload, pick, sockets, share, overhead, address, state, log):  # type: ignore[no-untyped-def]
    """Send packets at their times; `pick` [packets] in [0, 1) chooses among a flow's sockets.

    share [flows, ports] cumulative; overhead [flows, ports] bytes that the path adds; log [n, 2]
    times and flows, a ring.
    """
    data = np.zeros(MAX_BYTES, np.uint8)
    head = data.view(np.int64)
    clock = np.zeros(2, np.int64)
    for k in range(len(times_ns)):
        if state[STOPPED]:
            return
        due = times_ns[k]
        _now(REALTIME, clock.ctypes.data)
        if due - (clock[0] * BILLION + clock[1]) > 2000:
            clock[0], clock[1] = due // BILLION, due % BILLION
            _sleep(REALTIME, 1, clock.ctypes.data, 0)
            _now(REALTIME, clock.ctypes.data)
        f = flows[k]
        port = 0
        while port < share.shape[1] - 1 and pick[k] >= share[f, port]:
            port += 1
        size = max(payload[k] - overhead[f, port], MIN_PAYLOAD)
        now = clock[0] * BILLION + clock[1]
        head[0], head[1], head[2] = f, now, payload[k] + HEADERS_BYTES
        row = state[SENT] % len(log)
        log[row, 0], log[row, 1] = now, f
        state[SENT] += 1
        state[LATE_NS] += now - due
        if _sendto(sockets[f, port], head.ctypes.data, size, 0, address[f].ctypes.data, 16) < 0:
            state[ERRORS] += 1


@compiled
def listen(sockets, state, log):  # type: ignore[no-untyped-def]
    """Receive until it is stopped; log [n, 4] sending times, flows, delays in ns and bytes, a
    ring."""
    waiting = np.zeros(len(sockets), np.int64)  # struct pollfd: fd, events, revents
    data, control = np.zeros(8, np.int64), np.zeros(16, np.int64)
    parts = np.zeros(2, np.int64)
    message = np.zeros(7, np.int64)
    parts[0], parts[1] = data.ctypes.data, 64
    while not state[STOPPED]:
        for k in range(len(sockets)):
            waiting[k] = np.int64(sockets[k]) | (np.int64(1) << 32)
        if _poll(waiting.ctypes.data, len(sockets), 100) <= 0:
            continue
        for k in range(len(sockets)):
            if (waiting[k] >> 48) & 1 == 0:
                continue
            while True:
                message[0], message[1] = 0, 0
                message[2], message[3] = parts.ctypes.data, 1
                message[4], message[5], message[6] = control.ctypes.data, 128, 0
                if _recvmsg(sockets[k], message.ctypes.data, DONTWAIT) < MIN_PAYLOAD:
                    break
                row = state[RECEIVED] % len(log)
                log[row, 0], log[row, 1] = data[1], data[0]
                log[row, 2] = control[2] * BILLION + control[3] - data[1]
                log[row, 3] = data[2]
                state[RECEIVED] += 1


SOCKETS = 0.8  # of the files that may be open


class Traffic:
    """The flows of a scenario, sent between namespaces until it is closed.

    `shared` says how often each flow uses each of its ports, and what each port's path adds.
    """

    def __init__(
        self, scenario: Scenario, namespaces: Sequence[Namespace], ring: int, seed: int
    ) -> None:
        traffic = scenario.traffic
        flows = traffic.flow_count
        self._scenario, self._seed = scenario, seed
        self.state = np.zeros(8, np.int64)
        self._sent = np.zeros((ring, 2), np.int64)
        self._received = np.zeros((ring, 4), np.int64)
        self._open: list[socket.socket] = []
        self._namespaces = namespaces
        self._at_port: dict[tuple[int, int], int] = {}  # the socket of a flow's port
        self._apart = ports_apart(flows + len(namespaces))
        self.share = np.tile(np.arange(1, PORTS_A_FLOW + 1) / PORTS_A_FLOW, (flows, 1))
        self.overhead = np.zeros((flows, PORTS_A_FLOW), np.int64)
        self._address = np.zeros((flows, 16), np.uint8)
        self._sockets = np.zeros((flows, PORTS_A_FLOW), np.int32)
        self.first_port = first_ports(scenario)
        for f in range(flows):
            target = int(traffic.flow_target[f])
            packed = struct.pack("!2xH4s8x", PORT, socket.inet_aton(loopback(target)))
            self._address[f] = np.frombuffer(packed, np.uint8)
            self._address[f, :2] = np.frombuffer(struct.pack("=H", socket.AF_INET), np.uint8)
            self.use(f, [(0, PORTS_A_FLOW - 1)])
        listening = []
        for node, namespace in enumerate(namespaces):
            with namespace.entered():
                one = self._bound((loopback(node), PORT))
            one.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, BUFFER_BYTES)
            one.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
            listening.append(one.fileno())
        self._listening = np.array(listening, np.int32)
        self._news: Scenario | None = scenario
        self._error = ""
        self._threads = [
            threading.Thread(target=self._guarded, args=(work,), daemon=True)
            for work in (self._listen, self._send)
        ]
        for thread in self._threads:
            thread.start()

    def use(self, flow: int, spans: Sequence[tuple[int, int]]) -> None:
        """Send a flow from the ports of these spans, each the first and last port of a path. Where
        there are more flows than sockets may be opened for, some ports of a span stand for all."""
        for first, last in spans:
            opened = [p for p in range(first, last + 1) if p % self._apart == 0] or [first]
            for p in range(first, last + 1):
                stands = max((one for one in opened if one <= p), default=opened[0])
                self._sockets[flow, p] = self._socket(flow, stands)

    def _socket(self, flow: int, port: int) -> int:
        if (flow, port) not in self._at_port:
            traffic = self._scenario.traffic
            source, kind = int(traffic.flow_source[flow]), int(traffic.flow_class[flow])
            with self._namespaces[source].entered():
                one = self._bound((loopback(source), int(self.first_port[flow]) + port))
            one.setsockopt(socket.SOL_SOCKET, SO_SNDBUFFORCE, BUFFER_BYTES)
            one.setsockopt(socket.IPPROTO_IP, socket.IP_TOS, tos(kind))
            self._at_port[flow, port] = one.fileno()
        return self._at_port[flow, port]

    def _bound(self, address: tuple[str, int]) -> socket.socket:
        one = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        one.bind(address)
        one.setblocking(False)
        self._open.append(one)
        return one

    def become(self, scenario: Scenario) -> None:
        """Let flows offer the rates of another scenario from now on."""
        self._news = self._scenario = scenario

    def close(self) -> None:
        """End both threads and close every socket."""
        self.state[STOPPED] = 1
        for thread in self._threads:
            thread.join()
        for one in self._open:
            one.close()

    def sent(self, begin_ns: int, end_ns: int) -> NDArray[np.int64]:
        """The flows of the packets that were sent between two moments, in their order. [packets]"""
        log = _kept(self._sent, int(self.state[SENT]), begin_ns)
        return np.asarray(log[(log[:, 0] >= begin_ns) & (log[:, 0] < end_ns), 1])

    def received(self, begin_ns: int, end_ns: int) -> NDArray[np.int64]:
        """Sending time, flow, delay in ns and bytes of the packets that were sent between two
        moments and have come in. [packets, 4]"""
        log = _kept(self._received, int(self.state[RECEIVED]), begin_ns)
        return log[(log[:, 0] >= begin_ns) & (log[:, 0] < end_ns)]

    @property
    def offers(self) -> bool:
        """Whether any flow has packets to send."""
        return bool(self._scenario.traffic.flow_rate_bps.any())

    @property
    def late_s(self) -> float:
        """How much later than planned packets were sent, on average."""
        return float(self.state[LATE_NS]) / max(float(self.state[SENT]), 1.0) / 1e9

    def check(self) -> None:
        """Raise NetworkError where a thread has ended."""
        if self._error:
            raise NetworkError(f"the traffic has ended: {self._error}")

    def _guarded(self, work: Callable[[], None]) -> None:
        with contextlib.suppress(OSError):  # better times where it may be had
            os.sched_setscheduler(threading.get_native_id(), os.SCHED_FIFO, os.sched_param(10))
        try:
            work()
        except Exception as error:
            self._error = f"{type(error).__name__}: {error}"

    def _listen(self) -> None:
        listen(self._listening, self.state, self._received)

    def _send(self) -> None:
        random = np.random.default_rng(self._seed)
        schedule, begin_ns, at_s = None, 0, 0.0
        while not self.state[STOPPED]:
            news, self._news = self._news, None
            if news is not None:
                self._seed += 1
                schedule = Schedule(news, self._seed)
                begin_ns, at_s = time.time_ns() if not begin_ns else begin_ns + int(at_s * 1e9), 0.0
            assert schedule is not None
            behind_s = (time.time_ns() - begin_ns) / 1e9 - at_s
            if behind_s > MAX_BEHIND_S:  # the machine stood still: go on from here, in no burst
                begin_ns += int(behind_s * 1e9)
            at_s += CHUNK_S
            times, flows, bits = schedule.until(at_s)
            times_ns = begin_ns + (times * 1e9).astype(np.int64)
            bytes_ = np.minimum(np.rint(bits / 8), MAX_BYTES).astype(np.int64) - HEADERS_BYTES
            pick = random.random(len(times))
            play(
                times_ns,
                flows,
                bytes_,
                pick,
                self._sockets,
                self.share,
                self.overhead,
                self._address,
                self.state,
                self._sent,
            )
            rest_s = (begin_ns + at_s * 1e9 - time.time_ns()) / 1e9
            if rest_s > 0:
                time.sleep(rest_s)


def ports_apart(flows: int) -> int:
    """How far apart the ports are that sockets are opened for, so that no more are open than this
    process may have: 1 where all fit."""
    most, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    apart = 1
    while apart < PORTS_A_FLOW and flows * PORTS_A_FLOW / apart > SOCKETS * most:
        apart *= 2
    return apart


def first_ports(scenario: Scenario) -> NDArray[np.int64]:
    """The first source port of each flow, of which every flow of a node has its own. [flows]"""
    source = scenario.traffic.flow_source
    order = np.argsort(source, kind="stable")
    count = np.bincount(source, minlength=scenario.topology.node_count)
    within = np.empty(len(source), np.int64)
    within[order] = np.arange(len(source)) - np.repeat(np.cumsum(count) - count, count)
    return np.asarray(FIRST_SOURCE_PORT + PORTS_A_FLOW * within)


def spread(
    paths: Sequence[tuple[float, int]],
) -> tuple[NDArray[np.float64], NDArray[np.int64], list[tuple[int, int]]]:
    """How a flow's ports are dealt out to paths of a share and an overhead in bytes: the cumulative
    shares and the overheads of its ports, and the first and last port of each path."""
    bounds = np.linspace(0, PORTS_A_FLOW, len(paths) + 1).astype(int)
    share, overhead, ranges = np.zeros(PORTS_A_FLOW), np.zeros(PORTS_A_FLOW, np.int64), []
    for (part, added), begin, end in zip(paths, bounds[:-1], bounds[1:], strict=True):
        share[begin:end], overhead[begin:end] = part / (end - begin), added
        ranges.append((int(begin), int(end) - 1))
    return np.cumsum(share), overhead, ranges


def _kept(log: NDArray[np.int64], count: int, begin_ns: int) -> NDArray[np.int64]:
    """The rows of a ring that are filled. Raises NetworkError where it lost what is asked for.

    Rows are written while this is read: those that come next are not asked how old they are.
    """
    if count <= len(log) - AHEAD:
        return log[:count]
    if log[(count + AHEAD) % len(log), 0] > begin_ns:
        raise NetworkError(
            "more packets were sent than are remembered: give a shorter interval_s, or lower rates"
        )
    return log


def summary(
    sent: NDArray[np.int64], received: NDArray[np.int64], flows: int
) -> Mapping[str, NDArray[Any]]:
    """Packets sent and received by flow, and the mean, variance and quantiles of delay in s."""
    count = np.bincount(received[:, 1], minlength=flows)
    order = np.lexsort((received[:, 2], received[:, 1]))
    delay = received[order, 2] * 1e-9
    begin = np.cumsum(count) - count
    none = count == 0
    some = np.maximum(count, 1)
    total = np.bincount(received[order, 1], delay, flows)
    mean = np.where(none, np.nan, total / some)
    square = np.bincount(received[order, 1], (delay - mean[received[order, 1]]) ** 2, flows)
    out = {
        "sent": np.bincount(sent, minlength=flows),
        "received": count,
        "mean": mean,
        "variance": np.where(none, np.nan, square / some),
    }
    for name, part in (("p50", 0.5), ("p90", 0.9), ("p99", 0.99)):
        at = begin + np.minimum((count * part).astype(int), some - 1)
        out[name] = np.where(
            none, np.nan, delay[np.minimum(at, max(len(delay) - 1, 0))] if len(delay) else np.nan
        )
    return out
