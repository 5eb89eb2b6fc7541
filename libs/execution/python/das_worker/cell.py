"""What one worker sees of the machine, made by its keeper inside the room: its own scratch, processes and account."""
import contextlib
import os

from . import native

# What only keepers may see: the folders of all workers with the executor's socket, and the cache of code.
HIDDEN = '/.das'
SCRATCH_ROOT = HIDDEN + '/scratch'
CODE_ROOT = HIDDEN + '/code'
SCRATCH = '/tmp'
BOUND = {'code': '/code', 'packages': '/packages'}
PROGRESS = '.das-progress'
# As large as Docker makes it.
SHARED_MEMORY_BYTES = 64 * 1024 * 1024
# A file of less is counted as so much: what an empty one takes of the kernel's memory is bounded, too.
FILE_BYTES_MIN = 4096
CLOSED = native.MS_NOSUID | native.MS_NODEV


def map_account(uid, gid):
    """In a new user namespace: the account keeps its number. No further namespace can be made inside."""
    for name, text in (('setgroups', 'deny'), ('uid_map', '%d %d 1' % (uid, uid)), ('gid_map', '%d %d 1' % (gid, gid))):
        write('/proc/self/' + name, text)
    # Where /proc is read-only (containers) the filter of system calls has to do.
    with contextlib.suppress(OSError):
        write('/proc/sys/user/max_user_namespaces', '0')


def write(path, text):
    with open(path, 'w') as file:
        file.write(text)


def bind_here(handle, path):
    """Shows a folder at another path, by the working folder: there may be no /proc to name a handle by. Closes the handle."""
    try:
        os.fchdir(handle)
        native.mount('.', path, None, native.MS_BIND)
    finally:
        os.chdir('/')
        os.close(handle)


class Cell:
    """`folder`: of the worker on disk, which it does not see; it holds what must outlive the worker, or is too large for memory."""

    def __init__(self, request, room, uid, gid):
        self._room = room
        self._uid, self._gid = uid, gid
        self._folder_path = os.path.join(SCRATCH_ROOT, request['folder'])
        self._bytes = request['limits']['scratchBytes']
        self.folder = self._code = None

    def furnish(self):
        native.mount('none', '/', None, native.MS_REC | native.MS_PRIVATE)
        shared = [(path, os.open(path, os.O_PATH | os.O_CLOEXEC)) for path in self._room['shared'] if path.startswith(SCRATCH + '/')]
        native.mount('tmpfs', SCRATCH, 'tmpfs', CLOSED, '%s,mode=700,uid=%d,gid=%d' % (self._size(self._bytes), self._uid, self._gid))
        native.mount('tmpfs', '/dev/shm', 'tmpfs', CLOSED, self._size(SHARED_MEMORY_BYTES) + ',mode=1777')
        for path, handle in shared:
            # The new scratch lies over it.
            os.makedirs(path)
            bind_here(handle, path)
        self._show_progress()
        self._name_account()
        if self._room['proc']:
            native.mount('proc', '/proc', 'proc', CLOSED | native.MS_NOEXEC)
        else:
            self._cover('/proc')
        self.folder = os.open(self._folder_path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        self._code = os.open(CODE_ROOT, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        self._cover(HIDDEN)

    def _size(self, wanted):
        return 'size=%d,nr_inodes=%d' % (wanted, max(64, wanted // FILE_BYTES_MIN))

    def _show_progress(self):
        source = os.path.join(self._folder_path, PROGRESS)
        if os.path.exists(source):
            shown = os.path.join(SCRATCH, PROGRESS)
            os.close(os.open(shown, os.O_WRONLY | os.O_CREAT, 0o600))
            native.mount(source, shown, None, native.MS_BIND)

    def _name_account(self):
        """The one line of /etc/passwd: programs ask for their own name and home."""
        text = os.path.join(SCRATCH, '.das-passwd')
        write(text, 'das:x:%d:%d::%s:/bin/sh\n' % (self._uid, self._gid, SCRATCH))
        os.chmod(text, 0o444)
        native.mount(text, '/etc/passwd', None, native.MS_BIND)
        native.mount(None, '/etc/passwd', None, native.MS_REMOUNT | native.MS_BIND | native.MS_RDONLY | CLOSED)
        os.unlink(text)

    def _cover(self, path):
        native.mount('tmpfs', path, 'tmpfs', CLOSED | native.MS_NOEXEC | native.MS_RDONLY, 'size=4k,nr_inodes=1,mode=555')

    def bind(self, name, kind):
        """Shows a folder of the code cache, which is read-only in the room already."""
        chosen = os.open(name, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=self._code)
        bind_here(chosen, BOUND[kind])

    def resize(self, wanted):
        native.mount(None, SCRATCH, None, native.MS_REMOUNT | CLOSED, self._size(wanted))
