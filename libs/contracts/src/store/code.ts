import { z } from 'zod';
import { count, digestSchema } from '../ids.js';
import { operation } from '../operation.js';

/* Code bundles: the front door stores each once, chunk by chunk; executors read the chunks as they read any blob. */

/** What is known of a stored bundle without reading it. */
export const bundleHeadSchema = z.object({
  files: count('files in it'),
  bytes: count('of all its files'),
  chunks: count('blobs that it is stored as'),
});
export type BundleHead = z.infer<typeof bundleHeadSchema>;

/** Whether a bundle is stored whole. One that was found is kept for an hour, also when no job has it yet. */
export const findBundle = operation(
  'store.find-bundle',
  z.object({ digest: digestSchema.describe('of the manifest') }),
  z.object({ bundle: bundleHeadSchema.optional() }),
);

/** Stores one chunk (raw, a page at most). The same again replaces it: the bytes of a bundle are always the same. */
export const putBundleChunk = operation(
  'store.put-bundle-chunk',
  z.object({ digest: digestSchema, chunk: count('chunks are numbered from 0') }),
  z.object({}),
);

/** All chunks were sent: from here on jobs may have it. Twice is fine. `incomplete`: some chunk is not there; send all again. */
export const sealBundle = operation(
  'store.seal-bundle',
  z.object({ digest: digestSchema, bundle: bundleHeadSchema }),
  z.object({ outcome: z.enum(['sealed', 'incomplete']) }),
);

/** Whoever read a bundle found it damaged: it counts as not stored, so that the next submission stores it anew. Wrongly said, it costs one upload. */
export const doubtBundle = operation('store.doubt-bundle', z.object({ digest: digestSchema }), z.object({}));
