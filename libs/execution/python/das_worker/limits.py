"""What the worker does to itself before it sees any code of a user, and what it allows the job that it gets."""
import ctypes
import math
import os
import resource
import signal
import sys

PR_SET_PDEATHSIG = 1
OPEN_FILES_MAX = 256
# From this Linux on the processes of a user namespace are counted apart from those that its account has elsewhere.
COUNTS_NAMESPACES = (5, 14)


def die_with(parent):
    """The kernel kills this process when its parent ends, even by SIGKILL; what the script forked is ended by the warden."""
    if sys.platform == 'linux':
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    # The parent may have ended before the call above.
    if os.getppid() != parent:
        os._exit(70)


# Where it counts all memory that is written to, it is what people mean; address space is not: interpreters reserve much of it.
MEMORY = resource.RLIMIT_DATA if sys.platform == 'linux' else resource.RLIMIT_AS


def confine(most):
    """Before any job is known: the most that any may have."""
    lower(resource.RLIMIT_CORE, 0)
    lower(resource.RLIMIT_NOFILE, OPEN_FILES_MAX)
    # Without an account of its own it is one of all the processes of its user.
    allow(most, os.getuid() != 0)
    os.umask(0o077)


def become(argv, env):
    """Another program takes the place of this one. Python ignores these signals; others expect to end by them."""
    for ignored in (signal.SIGPIPE, signal.SIGXFSZ):
        signal.signal(ignored, signal.SIG_DFL)
    os.execve(argv[0], argv, env)


def allow(bounds, counts_processes):
    """No more than that from now on; what is lower already stays. `counts_processes`: nobody else's are counted with ours."""
    lower(resource.RLIMIT_FSIZE, bounds['fileBytes'])
    if hasattr(resource, 'RLIMIT_NPROC') and counts_processes:
        lower(resource.RLIMIT_NPROC, bounds['processes'])
    if bounds['memoryBytes']:
        lower(MEMORY, bounds['memoryBytes'])


def allow_cpu(cpu_ms):
    """SIGXCPU ends this process once it has used so much more. The kernel counts over its whole life, in seconds."""
    if cpu_ms is None:
        return
    usage = resource.getrusage(resource.RUSAGE_SELF)
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    # Never less than was allowed: it is counted by the clock's ticks, and in seconds.
    soft = math.floor(usage.ru_utime + usage.ru_stime + cpu_ms / 1000) + 1
    resource.setrlimit(resource.RLIMIT_CPU, (soft if hard == resource.RLIM_INFINITY else min(soft, hard), hard))


def allow_cpu_of(pid, left_s):
    """The same for a process that was just started; one that takes no notice is killed a second later."""
    if hasattr(resource, 'prlimit'):
        soft = max(1, math.ceil(left_s))
        try:
            resource.prlimit(pid, resource.RLIMIT_CPU, (soft, soft + 1))
        except (ProcessLookupError, PermissionError):
            # It has ended already, or is none of ours any more.
            pass


def lower(which, value):
    """Lowers a limit; one that is lower already stays."""
    soft, hard = resource.getrlimit(which)
    bound = value if hard == resource.RLIM_INFINITY else min(value, hard)
    resource.setrlimit(which, (bound, bound))


def namespaces_are_counted():
    return tuple(map(int, os.uname().release.split('-')[0].split('.')[:2])) >= COUNTS_NAMESPACES


def end_group():
    """Nobody waits for results any more: what the script started in the background ends too."""
    if os.getpgrp() == os.getpid():
        os.killpg(0, signal.SIGKILL)
    os._exit(70)
