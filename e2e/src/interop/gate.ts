import { repository } from '../harness.js';
import { missingNetwork, missingOriginal, originalPeer } from './original.mjs';
import { ourPeer } from './peer.mjs';

/** A machine that promised to have the original: there a test that cannot be tried has failed. */
const required = process.env['DAS_REQUIRE_INTEROP'] === '1';

type Describe = (name: string, tests: () => void) => void;

const told = new Set<string>();

function skipped(why: string): Describe {
  if (!told.has(why)) process.stdout.write(`not tried against HashiCorp's memberlist and Serf: ${why}\n`);
  told.add(why);
  return describe.skip;
}

function failing(why: string): Describe {
  return (name) =>
    describe(name, () => {
      it('can be tried here', () => {
        throw new Error(why);
      });
    });
}

/** `describe` where nothing is missing; elsewhere the tests are skipped, with the reason on the terminal. */
function unless(missing: string | undefined): Describe {
  if (missing === undefined) return describe;
  return required ? failing(missing) : skipped(missing);
}

/** Needs Serf, and Go with memberlist. */
export const withOriginal = unless(missingOriginal());

/** Needs a network of the test's own besides, which no ordinary user can make. */
export const withOriginalAndNetwork =
  process.getuid?.() === 0 ? unless(missingOriginal() ?? missingNetwork()) : skipped('a network of its own needs root');

/** The command line of our peer. */
export const ours = ourPeer(repository);

/** The command line of the original's; the first call may compile it. */
export const original = (): Promise<string[]> => originalPeer(repository);

/** Compiling Go from nothing takes half a minute on a small machine (ms). */
export const compileMs = 300_000;

export const base64 = (text: string): string => Buffer.from(text).toString('base64');
export const text = (data: string | null | undefined): string => Buffer.from(data ?? '', 'base64').toString();

/** Plain, and encrypted as Serf does by default. */
export const modes = [
  { mode: 'plain', key: undefined },
  { mode: 'encrypted with a key of 32 bytes', key: '8c'.repeat(16) + '1f'.repeat(16) },
] as const;
