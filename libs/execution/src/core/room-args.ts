/** A file or folder of the host that is shown read-only at its own path. */
export interface Shown {
  readonly path: string;
  /** It is a symbolic link, and made anew as one: `/bin` is `usr/bin` on most systems. */
  readonly link?: string | undefined;
}

/** Folders of the host that scripts may use, at the same path. */
export interface SharedFolders {
  readonly readable: readonly string[];
  readonly writable: readonly string[];
}

/** The room of one nursery: what bubblewrap makes, once. */
export interface RoomPlan {
  /** Its workers use the host's network; otherwise there is none. */
  readonly network: boolean;
  /** By a user namespace: needed unless we are root. */
  readonly users: boolean;
  /** A fresh /proc can be mounted inside. */
  readonly proc: boolean;
  readonly shown: readonly Shown[];
  readonly shared: SharedFolders;
  /** Folders of workers. */
  readonly scratchRoot: string;
  /** Code that jobs use. */
  readonly codeRoot: string;
}

/** Where only the nursery and keepers see the host's folders (see python/das_worker/cell.py). */
export const hiddenScratch = '/.das/scratch';
const hiddenCode = '/.das/code';
/** HOME, TMPDIR and working folder of every worker in a room. */
export const cellFolder = '/tmp';
/** Folders of the code cache that a worker is shown. */
export const cellBound = { code: '/code', packages: '/packages' } as const;

const devices = ['null', 'zero', 'full', 'random', 'urandom'];
const deviceLinks = [
  ['/proc/self/fd', '/dev/fd'],
  ['/proc/self/fd/0', '/dev/stdin'],
  ['/proc/self/fd/1', '/dev/stdout'],
  ['/proc/self/fd/2', '/dev/stderr'],
] as const;
/** Of /etc: what programs need in order to run at all, and says nothing of this machine's users. */
const settings = ['ld.so.cache', 'alternatives', 'localtime', 'nsswitch.conf', 'mime.types'];
/** Names of hosts and the certificates of those who sign for them. */
const networkSettings = ['resolv.conf', 'hosts', 'host.conf', 'gai.conf', 'services', 'protocols'];
const certificates = [
  'ssl/certs',
  'ssl/openssl.cnf',
  'pki/tls/certs',
  'pki/tls/cert.pem',
  'pki/ca-trust',
  'ca-certificates',
];
/** Root keeps what keepers need to make cells, change to the worker's account and signal it. */
const capabilities = ['SYS_ADMIN', 'SETUID', 'SETGID', 'CHOWN', 'DAC_OVERRIDE', 'FOWNER', 'KILL'];

/** Arguments of bubblewrap, up to the program. */
export function roomArgs(plan: RoomPlan): string[] {
  return [
    ...['--die-with-parent', '--unshare-ipc', '--unshare-uts', '--hostname', 'das', '--clearenv'],
    ...(plan.network ? [] : ['--unshare-net']),
    ...(plan.users
      ? ['--unshare-user']
      : ['--cap-drop', 'ALL', ...capabilities.flatMap((cap) => ['--cap-add', `CAP_${cap}`])]),
    ...plan.shown.flatMap(shownArgs),
    ...['--dir', '/etc', ...etcArgs(plan.network)],
    ...plan.shared.readable.flatMap((path) => ['--ro-bind', path, path]),
    ...plan.shared.writable.flatMap((path) => ['--bind', path, path]),
    ...deviceArgs(),
    ...[
      '--dir',
      cellFolder,
      ...Object.values(cellBound).flatMap((path) => ['--dir', path]),
      '--perms',
      '0700',
      '--dir',
      '/.das',
    ],
    ...['--bind', plan.scratchRoot, hiddenScratch, '--ro-bind', plan.codeRoot, hiddenCode],
    // A user namespace may mount a /proc only where it sees a whole one. Keepers put their own over it.
    ...(plan.users ? ['--bind', '/proc', '/proc'] : ['--dir', '/proc']),
    ...[
      '--remount-ro',
      '/',
      '--chdir',
      hiddenScratch,
      '--setenv',
      'LANG',
      'C.UTF-8',
      '--setenv',
      'PATH',
      '/usr/bin:/bin',
    ],
  ];
}

/** A folder that bubblewrap makes for the sake of a file in it would be closed to the accounts of scripts. */
function shownArgs({ path, link }: Shown): string[] {
  if (link !== undefined) return ['--symlink', link, path];
  const folder = path.slice(0, path.lastIndexOf('/'));
  return [...(folder === '' ? [] : ['--dir', folder]), '--ro-bind', path, path];
}

function etcArgs(network: boolean): string[] {
  const names = network ? [...settings, ...networkSettings, ...certificates] : settings;
  // Each worker has a list of accounts of its own; there must be something to put it over.
  const accounts = ['--ro-bind', '/dev/null', '/etc/passwd'];
  return [...accounts, ...names.flatMap((name) => ['--ro-bind-try', `/etc/${name}`, `/etc/${name}`])];
}

const deviceArgs = (): string[] => [
  ...['--dir', '/dev', '--dir', '/dev/shm'],
  ...devices.flatMap((name) => ['--dev-bind', `/dev/${name}`, `/dev/${name}`]),
  ...deviceLinks.flatMap(([to, path]) => ['--symlink', to, path]),
];
