"""The filter that the kernel asks before each system call of a worker: a program for its packet filter, made here."""
import ctypes
import errno
import os
import socket
import struct

from . import native
from .seccomp_calls import DENIED, HIGHEST, JUDGED

LOAD, EQUAL, ABOVE, ANY_BIT, AND, RETURN = 0x20, 0x15, 0x35, 0x45, 0x54, 0x06
ALLOW, REFUSE, KILL = 0x7FFF0000, 0x00050000, 0x80000000
NUMBER, ARCHITECTURE = 0, 4
# Of the first argument, 8 bytes each. All that is looked at lies in the lower half, which comes first: both machines are little endian.
ARGUMENTS = 16
ARCHITECTURES = {'x86_64': 0xC000003E, 'aarch64': 0xC00000B7}
# Numbers of the x32 ABI: the same calls once more.
X32 = 0x40000000
NEW_NAMESPACES = 0x7E020000
TYPE_MASK = 0xF
NETLINK_ROUTE = 0
PR_SET_SECCOMP, FILTER = 22, 2


class Program:
    """Classic BPF with names for places; a jump goes forward, and not farther than 255 instructions."""

    def __init__(self):
        self._steps = []
        self._places = {}

    def put(self, code, value=0, yes=None, no=None):
        self._steps.append((code, value, yes, no))

    def here(self, place):
        self._places[place] = len(self._steps)

    def bytes(self):
        return b''.join(
            struct.pack('=HBBI', code, self._jump(at, yes), self._jump(at, no), value)
            for at, (code, value, yes, no) in enumerate(self._steps)
        )

    def _jump(self, at, place):
        return 0 if place is None else self._places[place] - at - 1


def filter_for(machine, network, sockets=True):
    """
    The program. `network`: the job may use the internet. `sockets`: sockets of the machine itself may be made without it, because none can be
    reached; otherwise pairs of connected streams only.
    """
    column = list(ARCHITECTURES).index(machine)
    program = Program()
    program.put(LOAD, ARCHITECTURE)
    program.put(EQUAL, ARCHITECTURES[machine], no='kill')
    program.put(LOAD, NUMBER)
    if machine == 'x86_64':
        program.put(ABOVE, X32, yes='kill')
    program.put(ABOVE, HIGHEST + 1, yes='unknown')
    for name, numbers in JUDGED.items():
        program.put(EQUAL, numbers[column], yes=name)
    for numbers in DENIED.values():
        if numbers[column] is not None:
            program.put(EQUAL, numbers[column], yes='denied')
    program.put(RETURN, ALLOW)
    judge_namespaces(program)
    judge_sockets(program, network, sockets)
    for place, answer in (
        ('denied', REFUSE | errno.EPERM),
        # The C library then takes clone, whose flags can be seen.
        ('clone3', REFUSE | errno.ENOSYS),
        # As of an older kernel; the C library then takes what there was before.
        ('unknown', REFUSE | errno.ENOSYS),
        ('no family', REFUSE | errno.EAFNOSUPPORT),
        ('kill', KILL),
        ('allowed', ALLOW),
    ):
        program.here(place)
        program.put(RETURN, answer)
    return program.bytes()


def judge_namespaces(program):
    program.here('clone')
    program.put(LOAD, ARGUMENTS)
    program.put(ANY_BIT, NEW_NAMESPACES, yes='denied', no='allowed')


def judge_sockets(program, network, sockets):
    program.here('socket')
    program.put(LOAD, ARGUMENTS)
    if sockets or network:
        program.put(EQUAL, socket.AF_UNIX, yes='allowed')
    if network:
        program.put(EQUAL, socket.AF_NETLINK, yes='netlink')
        program.put(EQUAL, socket.AF_INET, yes='internet')
        program.put(EQUAL, socket.AF_INET6, yes='internet')
    program.put(RETURN, REFUSE | errno.EAFNOSUPPORT)
    if network:
        # Name resolution looks at the machine's addresses by it.
        program.here('netlink')
        program.put(LOAD, ARGUMENTS + 16)
        program.put(EQUAL, NETLINK_ROUTE, yes='allowed', no='denied')
        program.here('internet')
        judge_type(program, (socket.SOCK_STREAM, socket.SOCK_DGRAM))
    program.here('socketpair')
    if sockets or network:
        program.put(RETURN, ALLOW)
    else:
        # A datagram socket, also one of a pair, can send to any socket by name.
        judge_type(program, (socket.SOCK_STREAM, socket.SOCK_SEQPACKET))


def judge_type(program, types):
    program.put(LOAD, ARGUMENTS + 8)
    program.put(AND, TYPE_MASK)
    for kind in types:
        program.put(EQUAL, kind, yes='allowed')
    program.put(RETURN, REFUSE | errno.EPERM)


def apply(network, sockets=True):
    """From here on, for this process and all that it starts. Needs no_new_privs."""
    program = filter_for(os.uname().machine, network, sockets)
    steps = ctypes.create_string_buffer(program, len(program))
    header = ctypes.create_string_buffer(struct.pack('@HP', len(program) // 8, ctypes.addressof(steps)))
    native.prctl(PR_SET_SECCOMP, FILTER, ctypes.addressof(header))
