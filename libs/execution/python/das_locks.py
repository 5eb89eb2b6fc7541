"""Locked files that one process of an account may hold at a time, in folders where others may write too: free again when the holder ends."""
import contextlib
import errno
import fcntl
import os
import time

LOOK_S = 0.01


def folder(other):
    """Where all of this machine find them: of root; else `other`."""
    return '/run' if os.access('/run', os.W_OK) else other


def hold(path):
    """A handle, or None when somebody else has it. Raises OSError also when another account could hold it."""
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        facts = os.fstat(handle)
        if facts.st_uid != os.geteuid() or facts.st_mode & 0o077:
            raise OSError(errno.EEXIST, 'another account could hold it', path)
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        # Whoever held it before may have removed the file between our two calls.
        if facts.st_ino == os.stat(path).st_ino:
            return handle
    except (BlockingIOError, FileNotFoundError):
        pass
    except OSError:
        os.close(handle)
        raise
    os.close(handle)
    return None


def free(path, handle):
    with contextlib.suppress(FileNotFoundError):
        os.unlink(path)
    os.close(handle)


@contextlib.contextmanager
def held(path, most_s):
    """Raises OSError, too, when it cannot be had for so long."""
    until = time.monotonic() + most_s
    handle = hold(path)
    while handle is None:
        if time.monotonic() > until:
            raise OSError(errno.ETIMEDOUT, 'somebody holds it for too long', path)
        time.sleep(LOOK_S)
        handle = hold(path)
    try:
        yield
    finally:
        free(path, handle)
