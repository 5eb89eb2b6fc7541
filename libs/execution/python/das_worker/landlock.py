"""Landlock: a process gives up, for itself and all it starts, files, TCP and signals beyond those named here. Source: linux/landlock.h."""
import ctypes
import os
import struct

from . import native

CREATE, ADD_RULE, RESTRICT = 444, 445, 446
VERSION, PATH_BENEATH = 1, 1
EXECUTE, WRITE_FILE, READ_FILE, READ_DIR = 1, 2, 4, 8
FILES_ONLY = EXECUTE | WRITE_FILE | READ_FILE | 1 << 14 | 1 << 15
READABLE = EXECUTE | READ_FILE | READ_DIR
# By version: all rights on files that it knows; new ones are last.
FILE_RIGHTS = {1: 0x1FFF, 2: 0x3FFF, 3: 0x7FFF, 4: 0x7FFF, 5: 0xFFFF}
TCP = 0b11
ABSTRACT_SOCKETS_AND_SIGNALS = 0b11


def version():
    """0: the kernel has none."""
    try:
        return native.syscall(CREATE, 'landlock', None, 0, VERSION)
    except OSError:
        return 0


def restrict(readable, writable, network):
    """Raises OSError where the kernel has no Landlock. Needs no_new_privs."""
    known = version()
    if known < 1:
        raise OSError(38, 'this kernel has no Landlock, or it is not switched on (lsm=)')
    rights = FILE_RIGHTS[min(known, 5)]
    sizes = 8 if known < 4 else 16 if known < 6 else 24
    attributes = struct.pack('=QQQ', rights, 0 if network else TCP, ABSTRACT_SOCKETS_AND_SIGNALS)[:sizes]
    rules = native.syscall(CREATE, 'landlock', ctypes.c_char_p(attributes), sizes, 0)
    for path in readable:
        allow(rules, path, READABLE)
    for path in writable:
        allow(rules, path, rights)
    native.syscall(RESTRICT, 'landlock', rules, 0)
    os.close(rules)


def allow(rules, path, rights):
    try:
        handle = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except (FileNotFoundError, PermissionError):
        # What the account cannot reach it cannot use either.
        return
    if not os.path.isdir(path):
        rights &= FILES_ONLY
    rule = struct.pack('=Qi', rights, handle)
    native.syscall(ADD_RULE, 'landlock', rules, PATH_BENEATH, ctypes.c_char_p(rule), 0)
    os.close(handle)
