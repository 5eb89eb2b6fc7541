"""What keeps a worker in where there is no room around it: Landlock and the filter of system calls."""
from . import failures, landlock, native, seccomp

DEVICES = ('/dev/null', '/dev/zero', '/dev/full', '/dev/random', '/dev/urandom')


def shut_in(wanted):
    """`wanted`: {"readable": paths, "writable": paths, "network": bool}. The working folder stays writable."""
    native.prctl(native.PR_SET_NO_NEW_PRIVS, 1)
    landlock.restrict(wanted['readable'], ('.', *DEVICES, *wanted['writable']), wanted['network'])
    # No namespace hides the sockets of others here: without network, none may be made that could reach them.
    seccomp.apply(wanted['network'], sockets=False)
    failures.network_allowed = wanted['network']
