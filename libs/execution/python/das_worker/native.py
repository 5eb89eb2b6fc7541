"""System calls that Python does not offer. Each raises OSError that names the call."""
import ctypes
import os

# With the interpreter's lock held: one of these calls makes a process, in which nobody would give it back.
libc = ctypes.PyDLL(None, use_errno=True)

CLONE_NEWNS, CLONE_NEWIPC, CLONE_NEWUSER = 0x00020000, 0x08000000, 0x10000000
CLONE_NEWPID, CLONE_NEWNET = 0x20000000, 0x40000000
MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC, MS_REMOUNT = 1, 2, 4, 8, 32
MS_BIND, MS_REC, MS_PRIVATE = 4096, 16384, 1 << 18
PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_SET_NO_NEW_PRIVS = 1, 4, 38
CLONE = {'x86_64': 56, 'aarch64': 220}
CAPABILITIES_V3 = 0x20080522


def checked(result, what):
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code), what)
    return result


def syscall(number, what, *arguments):
    wide = [ctypes.c_long(value) if isinstance(value, int) else value for value in arguments]
    return checked(libc.syscall(ctypes.c_long(number), *wide), what)


def prctl(option, value, more=0):
    checked(libc.prctl(option, ctypes.c_ulong(value), ctypes.c_ulong(more), ctypes.c_ulong(0), ctypes.c_ulong(0)), 'prctl %d' % option)


def clone(flags):
    """fork into new namespaces: 0 in the child. One call, where fork and unshare would need a process between the two."""
    sigchld = 17
    return syscall(CLONE[os.uname().machine], 'clone', flags | sigchld, 0, 0, 0, 0)


def mount(source, target, kind, flags, options=None):
    texts = [None if text is None else os.fsencode(text) for text in (source, target, kind, options)]
    checked(libc.mount(texts[0], texts[1], texts[2], ctypes.c_ulong(flags), texts[3]), 'mount %s' % target)


def drop_capabilities():
    """All of them, for ever: an account that is not root gets none back."""
    header = (ctypes.c_uint32 * 2)(CAPABILITIES_V3, 0)
    checked(libc.capset(header, (ctypes.c_uint32 * 6)()), 'capset')
