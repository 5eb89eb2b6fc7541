/** What every script starts with: `tried` gives the name of what was raised, or what came out. */
const prelude = `
import ctypes, errno, os, socket
libc = ctypes.CDLL(None, use_errno=True)
def tried(act, *arguments):
    try:
        return act(*arguments)
    except OSError as fault:
        return errno.errorcode.get(fault.errno, type(fault).__name__)
    except MemoryError:
        return "MemoryError"
def call(number, *arguments):
    result = libc.syscall(ctypes.c_long(number), *[ctypes.c_long(value) for value in arguments])
    return errno.errorcode[ctypes.get_errno()] if result < 0 else "done"
def read(path):
    with open(path, "rb") as file: return file.read(4096).decode("latin1")
def connect(family, kind, address):
    with socket.socket(family, kind) as stream:
        stream.settimeout(2)
        stream.connect(address)
        return "connected"
def send(address):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stream: return stream.sendto(b"x", address)
`;

/** Ways out, each a value for `map(item, params)`: what came of it. Numbers of system calls by machine: see python/das_worker/seccomp_calls.py. */
const ways = {
  'reads the accounts of the machine': 'tried(read, "/etc/passwd")',
  'reads home folders': '[tried(os.listdir, path) for path in ("/root", "/home", params["home"])]',
  'reads a file of the machine that anybody may read': 'tried(read, params["file"])',
  'looks into the folders of other workers': 'tried(os.listdir, params["scratch"])',
  "looks for the executor's socket": 'tried(os.listdir, "/.das")',
  "reads the executor's environment": 'tried(read, "/proc/%d/environ" % params["pid"])',
  "reads the executor's memory": 'call(libc_number("process_vm_readv"), params["pid"], 0, 0, 0, 0, 0)',
  "reads its keeper's memory": '[tried(read, "/proc/1/" + name) for name in ("mem", "environ")]',
  'connects by TCP': 'tried(connect, socket.AF_INET, socket.SOCK_STREAM, ("127.0.0.1", params["port"]))',
  'sends by UDP': 'tried(send, ("127.0.0.1", params["port"]))',
  'connects to an abstract socket of the machine':
    'tried(connect, socket.AF_UNIX, socket.SOCK_STREAM, "\\0" + params["abstract"])',
  'connects to a socket of the machine by its path':
    'tried(connect, socket.AF_UNIX, socket.SOCK_STREAM, params["socket"])',
  'makes raw, packet and netlink sockets':
    '[tried(socket.socket, family, kind) and "refused" for family, kind in ((2, 3), (17, 3), (16, 3))]',
  'signals the executor': 'tried(os.kill, params["pid"], 15)',
  'signals its keeper': '(tried(os.kill, 1, 9), "both live")[1]',
  'sees other processes': 'tried(lambda: sorted(int(name) for name in os.listdir("/proc") if name.isdigit()))',
  'writes outside its folder':
    '[path for path in ("/", "/usr", "/etc", "/dev", "/var/tmp", "/code", "/.das", "/proc/sys/kernel", params["home"]) if "done" == tried(write_into, path)]',
  'forks without end': 'tried(fork_bomb)',
  'takes all memory': 'tried(lambda: len(bytearray(8 << 30)))',
  'fills the disk': 'tried(fill) if params["fill"] else "not tried"',
  'calls into the kernel': '{name: call(number, 0, 0, 0, 0, 0) for name, number in calls().items()}',
  'calls what is newer than the filter': 'call(451, -1, 0, 0, 0, 0)',
  'makes a user namespace by clone': '[call(libc_number("clone"), 0x10000000 | 17, 0, 0, 0, 0), call(435, 0, 0)]',
  'could get other rights': 'libc.prctl(39, 0, 0, 0, 0)',
  'sees that a file is there': 'tried(lambda: os.stat("/etc/shadow").st_size > 0)',
} as const;
export type Way = keyof typeof ways;

const helpers = `
NUMBERS = {"x86_64": {"clone": 56, "process_vm_readv": 310, "ptrace": 101, "mount": 165, "unshare": 272, "setns": 308, "chroot": 161, "bpf": 321, "keyctl": 250},
    "aarch64": {"clone": 220, "process_vm_readv": 270, "ptrace": 117, "mount": 40, "unshare": 97, "setns": 268, "chroot": 51, "bpf": 280, "keyctl": 219}}
def calls(): return {**{name: libc_number(name) for name in ("ptrace", "mount", "unshare", "setns", "chroot", "bpf", "keyctl")}, "io_uring_setup": 425, "open_tree": 428}
def libc_number(name): return NUMBERS[os.uname().machine][name]
def write_into(path):
    with open(path + "/das-was-here", "w"): return "done"
def fork_bomb():
    made = 0
    while made < 2000:
        if os.fork() == 0:
            import time
            time.sleep(1000)
        made += 1
    return made
def fill():
    with open("full", "wb") as file:
        for _ in range(1024): file.write(bytes(1 << 20))
    return "filled"
`;

/** The script for one way. */
export const escapeScript = (way: Way): string =>
  `${prelude}${helpers}\ndef map(item, params):\n    return ${ways[way]}\n`;
export const escapeWays = Object.keys(ways) as Way[];
