import { withoutMemory } from '../core/bounds.js';
import type { SharedFolders } from '../core/room-args.js';
import type { Command, LaunchedProcess, Launcher, Place } from '../ports/launch.js';
import { shutInText } from '../python/package-files.js';
import { systemFolders } from './system-folders.js';

export interface LandlockedOptions {
  readonly interpreter: string;
  readonly prefixes: readonly string[];
  readonly codeRoot: string;
  readonly shared: SharedFolders;
  /** How processes are made otherwise. */
  readonly launcher: Launcher;
}

/** Of /etc: what programs need in order to run. Node.js ends where it sees that OpenSSL has settings, and may not read them. */
const settings = [
  '/etc/ld.so.cache',
  '/etc/alternatives',
  '/etc/localtime',
  '/etc/nsswitch.conf',
  '/etc/mime.types',
  '/etc/ssl/openssl.cnf',
  '/etc/pki/tls/openssl.cnf',
  '/etc/crypto-policies',
];
const networkSettings = [
  '/etc/resolv.conf',
  '/etc/hosts',
  '/etc/host.conf',
  '/etc/gai.conf',
  '/etc/services',
  '/etc/ssl/certs',
  '/etc/pki',
];

/**
 * Workers that give up what they do not need before they see any code: files but those of the system and their own folder, TCP, signals to
 * others (Landlock), and system calls (seccomp). No namespaces: what this does not stop is in docs/security.md.
 */
export class Landlocked implements Launcher {
  constructor(private readonly options: LandlockedOptions) {}

  async launch(command: Command, place: Place): Promise<LaunchedProcess> {
    const { launcher, interpreter, shared } = this.options;
    const readable = [...this.#readable(command, place), ...shared.readable];
    const shutIn = { readable, writable: shared.writable, network: place.network ?? false };
    if (command.forkable === true) {
      const process = await launcher.launch(command, place);
      return Object.assign(process, { start: { ...process.start, shutIn } });
    }
    // The program cannot do it to itself: an interpreter does, and becomes it.
    const words = JSON.stringify({
      shutIn,
      limits: withoutMemory(place.limits),
      exec: [command.file, ...command.args],
    });
    const program = { ...command, file: interpreter, args: ['-I', '-S', '-c', shutInText(), words] };
    const process = await launcher.launch(program, place);
    const within = { network: shutIn.network, lends: false };
    return Object.assign(process, { start: { ...process.start, within } });
  }

  #readable({ mounts = [] }: Command, { network = false }: Place): string[] {
    const { prefixes, codeRoot } = this.options;
    const folders = systemFolders([...prefixes, ...mounts]).map(({ path }) => path);
    return [...folders, codeRoot, ...settings, ...(network ? networkSettings : [])];
  }
}
