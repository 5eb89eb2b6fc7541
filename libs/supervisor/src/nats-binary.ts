import { StartError } from '@das/platform/basics';
import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { delimiter, join } from 'node:path';

/** Debian installs it here, which is not on the PATH of an ordinary user. */
const furtherFolders: readonly string[] = ['/usr/sbin', '/usr/local/sbin', '/usr/local/bin'];

/** Path of the `nats-server` program. @throws StartError with the ways to get one. */
export async function findNatsServer(path: string | undefined, further = furtherFolders): Promise<string> {
  for (const folder of [...(path ?? '').split(delimiter).filter(Boolean), ...further]) {
    const file = join(folder, 'nats-server');
    if (
      await access(file, constants.X_OK).then(
        () => true,
        () => false,
      )
    )
      return file;
  }
  throw new StartError('nats-server is not installed', {
    hint: [
      'get it by one of: `apt-get install nats-server` (Debian, Ubuntu) or `brew install nats-server`',
      'a release from https://github.com/nats-io/nats-server/releases put on PATH',
      'or use a server that runs elsewhere: DAS_NATS_URL=nats://host:4222',
    ].join('; '),
  });
}
