import { join, resolve } from 'node:path';
import { BundleCache } from '@das/bundles';
import { readBlob } from '@das/contracts';
import type { FoundPython } from '@das/execution';
import type { ServiceContext } from '@das/platform';
import { CodeCache } from './code-cache.js';
import { type ExecutorConfig, codeFolderOf } from './config.js';
import { JobCode } from './job-code.js';
import { PackageLayers } from './package-layers.js';
import type { StoreClient } from './store-client.js';

/** The code of jobs as this node keeps it, on disk and in memory. @throws the system's error when there can be no such folder. */
export async function openJobCode(
  { clock, newId, log, node }: ServiceContext,
  config: ExecutorConfig,
  python: FoundPython,
  store: StoreClient,
  signal: AbortSignal,
): Promise<JobCode> {
  const folder = codeFolderOf(config, node);
  const base = {
    clock,
    newId,
    bytesMax: config.DAS_CODE_CACHE_BYTES_MAX,
    onFault: (message: string) => log.warn({}, message),
  };
  const bundles = new BundleCache({
    ...{ ...base, folder },
    fetch: async (digest, chunk) => {
      const { body, raw } = await store.ask(readBlob, { digest, chunk }, signal);
      return { ...body, raw };
    },
  });
  await bundles.open();
  const { DAS_PIP_FIND_LINKS: findLinks, DAS_PIP_INDEX_URL: indexUrl } = config;
  const sources = { findLinks: findLinks === undefined ? undefined : resolve(findLinks), indexUrl };
  const layers = new PackageLayers({ ...base, folder: join(folder, 'packages'), python, sources });
  await layers.open();
  return new JobCode({ texts: new CodeCache(store, signal), bundles, layers, store, signal });
}
