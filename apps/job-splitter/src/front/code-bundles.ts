import { Inject, Injectable } from '@nestjs/common';
import { type Bundle, InvalidBundleError, bytesOf, invalidCode, packChunks, readArchive } from '@das/bundles';
import { type BundleHead, Fault, type Operation, findBundle, putBundleChunk, sealBundle } from '@das/contracts';
import { SERVICE_CONTEXT, type ServiceContext } from '@das/platform';
import { ArchiveRoom } from './code-part.js';
import { frontLimits } from './config.js';
import { FrontStore } from './front-store.js';
import { patiently } from './patiently.js';

/** A bundle that the store has. */
export interface StoredBundle extends Pick<BundleHead, 'files' | 'bytes'> {
  readonly digest: string;
}

/** Code bundles as they come in: verified, known by their digest, stored once. */
@Injectable()
export class CodeBundles {
  readonly room = new ArchiveRoom();

  constructor(
    @Inject(SERVICE_CONTEXT) private readonly context: ServiceContext,
    @Inject(FrontStore) private readonly store: FrontStore,
  ) {}

  /** @throws Fault CODE_NOT_FOUND. */
  async find(digest: string): Promise<StoredBundle> {
    const { bundle } = (await this.store.ask(findBundle, { digest })).body;
    if (bundle === undefined)
      throw new Fault('CODE_NOT_FOUND', `the store does not have the code bundle ${digest.slice(0, 12)}`, {
        field: 'code.bundle',
        expected: 'the digest of a stored bundle, or the archive as the part `code`',
      });
    return { digest, files: bundle.files, bytes: bundle.bytes };
  }

  /** Stores what an archive holds, unless it is there. @throws Fault CODE_INVALID in words about the archive; the store's faults. */
  async accept(archive: Uint8Array): Promise<StoredBundle> {
    const bundle = await opened(archive);
    const { digest, files } = bundle;
    const stored = { digest, files: files.length, bytes: bytesOf(files) };
    const { body } = await this.store.ask(findBundle, { digest });
    if (body.bundle === undefined) await this.#put(bundle, stored);
    return stored;
  }

  async #put(bundle: Bundle, { digest, files, bytes }: StoredBundle): Promise<void> {
    let chunks = 0;
    for (const chunk of packChunks(bundle)) await this.#patiently(putBundleChunk, { digest, chunk: chunks++ }, chunk);
    const { outcome } = await this.#patiently(sealBundle, { digest, bundle: { files, bytes, chunks } });
    if (outcome === 'incomplete')
      throw new Fault('STORE_UNAVAILABLE', 'the store lost a piece of the code bundle while it was sent');
  }

  #patiently<Q, R>(operation: Operation<Q, R>, body: Q, raw?: Uint8Array): Promise<R> {
    const ask = async (): Promise<R> => (await this.store.ask(operation, body, raw)).body;
    return patiently(this.context.clock, frontLimits.storeTimeoutMs, ask);
  }
}

async function opened(archive: Uint8Array): Promise<Bundle> {
  try {
    return await readArchive(archive);
  } catch (error) {
    throw error instanceof InvalidBundleError ? invalidCode(error) : error;
  }
}
