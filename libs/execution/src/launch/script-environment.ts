import { dirname } from 'node:path';
import type { Command, Place } from '../ports/launch.js';

/** All that a script finds in its environment. The interpreter's own folder comes first: a script of a virtual environment finds its tools. */
export const scriptEnvironment = (interpreter: string, { folder, mark }: Place): Command['env'] => ({
  PATH: `${dirname(interpreter)}:/usr/local/bin:/usr/bin:/bin`,
  LANG: 'C.UTF-8',
  HOME: folder,
  TMPDIR: folder,
  DAS_WORKER: mark,
});
