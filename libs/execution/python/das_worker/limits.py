"""What the worker does to itself before it sees any code of a user."""
import ctypes
import os
import resource
import signal
import sys

PR_SET_PDEATHSIG = 1
PROCESSES_MAX = 256
FILE_BYTES_MAX = 1 << 30
OPEN_FILES_MAX = 256


def die_with(parent):
    """The kernel kills this process when its parent ends, even by SIGKILL; what the script forked is ended by the warden."""
    if sys.platform == 'linux':
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    # The parent may have ended before the call above.
    if os.getppid() != parent:
        os._exit(70)


def confine(memory_bytes):
    lower(resource.RLIMIT_CORE, 0)
    lower(resource.RLIMIT_FSIZE, FILE_BYTES_MAX)
    lower(resource.RLIMIT_NOFILE, OPEN_FILES_MAX)
    if hasattr(resource, 'RLIMIT_NPROC') and os.getuid() != 0:
        lower(resource.RLIMIT_NPROC, PROCESSES_MAX)
    if memory_bytes:
        lower(resource.RLIMIT_AS, memory_bytes)
    os.umask(0o077)


def lower(which, value):
    """Lowers a limit; one that is lower already stays."""
    soft, hard = resource.getrlimit(which)
    bound = value if hard == resource.RLIM_INFINITY else min(value, hard)
    resource.setrlimit(which, (bound, bound))


def end_group():
    """Nobody waits for results any more: what the script started in the background ends too."""
    if os.getpgrp() == os.getpid():
        os.killpg(0, signal.SIGKILL)
    os._exit(70)
