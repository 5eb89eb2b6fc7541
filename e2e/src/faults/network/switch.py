"""A network of its own for some hosts, in user space, because few kernels can delay packets (netem) and no two can be cut one way by a cable.

Each host is a network namespace without a name, with one TUN device; this process carries the packets between them and holds the namespaces: they
are gone when it and the last program in them have ended, however that comes. It ends with its standard input.

    switch.py SEED HOST ADDRESS [HOST ADDRESS ...]

It prints one line `HOST PATH` for each, PATH being what `nsenter --net=PATH` takes, then `ready`. Then lines are taken, each answered by one line:
    set FROM TO DELAY_MS LOSS_PERCENT      for packets in this direction only
    cut FROM TO                            none gets through in this direction
    heal                                   all pass, at once
    count                                  answers `carried N lost N cut N`
"""
import ctypes
import fcntl
import heapq
import os
import random
import selectors
import socket
import struct
import subprocess
import sys
import time

CLONE_NEWNET = 0x40000000
TUNSETIFF = 0x400454CA
IFF_TUN_NO_PI = 0x1001
PACKET_MAX = 2048
READ_AT_ONCE = 64
DELAYED_MAX = 50_000
"""More than the devices' own queues hold; beyond it packets are lost, as on a real line."""

libc = ctypes.CDLL(None, use_errno=True)


def checked(result):
    if result != 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def make_host(address, home):
    """A namespace with loopback and a TUN device of this address; (its descriptor, the device's)."""
    checked(libc.unshare(CLONE_NEWNET))
    space = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
    device = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(device, TUNSETIFF, struct.pack("16sH22x", b"das0", IFF_TUN_NO_PI))
    for words in (
        "link set lo up",
        f"addr add {address}/24 dev das0",
        "link set das0 up mtu 1500 txqueuelen 1000",
    ):
        subprocess.run(["ip", *words.split()], check=True)
    checked(libc.setns(home, CLONE_NEWNET))
    return space, device


class Switch:
    def __init__(self, seed, places):
        self.random = random.Random(seed)
        self.rules = {}
        self.delayed = []
        self.seq = 0
        self.counts = {"carried": 0, "lost": 0, "cut": 0}
        self.selector = selectors.DefaultSelector()
        self.devices = {}
        self.names = {}
        home = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
        for name, address in places:
            space, device = make_host(address, home)
            packed = socket.inet_aton(address)
            self.names[name] = packed
            self.devices[packed] = device
            self.selector.register(device, selectors.EVENT_READ, packed)
            print(name, f"/proc/{os.getpid()}/fd/{space}", flush=True)
        self.pending = b""
        os.set_blocking(0, False)
        self.selector.register(0, selectors.EVENT_READ, None)
        print("ready", flush=True)

    def run(self):
        while True:
            wait = max(0.0, self.delayed[0][0] - time.monotonic()) if self.delayed else None
            for key, _ in self.selector.select(wait):
                if key.data is not None:
                    self.carry(key.fd, key.data)
                elif not self.listen():
                    return
            now = time.monotonic()
            while self.delayed and self.delayed[0][0] <= now:
                _, _, device, packet = heapq.heappop(self.delayed)
                self.deliver(device, packet)

    def carry(self, device, source):
        for _ in range(READ_AT_ONCE):
            try:
                packet = os.read(device, PACKET_MAX)
            except BlockingIOError:
                return
            target = packet[16:20]
            if packet[0] >> 4 != 4 or target not in self.devices:
                continue
            rule = self.rules.get((source, target))
            if rule is None:
                self.deliver(self.devices[target], packet)
            elif rule == "cut":
                self.counts["cut"] += 1
            elif self.random.random() < rule[1] or len(self.delayed) >= DELAYED_MAX:
                self.counts["lost"] += 1
            elif rule[0] == 0:
                self.deliver(self.devices[target], packet)
            else:
                self.seq += 1
                heapq.heappush(self.delayed, (time.monotonic() + rule[0], self.seq, self.devices[target], packet))

    def deliver(self, device, packet):
        try:
            os.write(device, packet)
            self.counts["carried"] += 1
        except OSError:
            self.counts["lost"] += 1

    def listen(self):
        text = os.read(0, 65536)
        self.pending += text
        while b"\n" in self.pending:
            line, self.pending = self.pending.split(b"\n", 1)
            print(self.obey(line.decode().split()), flush=True)
        return text != b""

    def obey(self, words):
        if words[0] == "count":
            return " ".join(f"{name} {value}" for name, value in self.counts.items())
        if words[0] == "heal":
            self.rules.clear()
            return "done"
        pair = self.names[words[1]], self.names[words[2]]
        self.rules[pair] = "cut" if words[0] == "cut" else (float(words[3]) / 1e3, float(words[4]) / 100)
        return "done"


if __name__ == "__main__":
    arguments = sys.argv[2:]
    Switch(int(sys.argv[1]), list(zip(arguments[::2], arguments[1::2]))).run()
