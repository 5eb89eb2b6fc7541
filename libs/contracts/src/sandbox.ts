import { z } from 'zod';

/** What keeps scripts in on a node: docs/security.md says what each stops. */
export const sandboxSchema = z.enum(['bwrap', 'landlock', 'none']);
export type SandboxLayer = z.infer<typeof sandboxSchema>;

/** What control groups bound on a node, of a worker with all that it starts; what they do not is bounded by limits of single processes. */
export const groupedSchema = z.array(z.enum(['memory', 'processes']));
export type Grouped = z.infer<typeof groupedSchema>[number];

/** Layers that do not stop everything. */
export const weakSandboxSchema = sandboxSchema.exclude(['bwrap']);
export type WeakSandbox = z.infer<typeof weakSandboxSchema>;
export const isWeak = (layer: SandboxLayer | undefined): layer is WeakSandbox =>
  layer !== undefined && layer !== 'bwrap';

/** Of a job: absent where all of its parts ran in the full one. */
export const weakSandboxesSchema = z
  .array(weakSandboxSchema)
  .optional()
  .describe(
    'weaker sandboxes than the full one (bwrap) that parts of it ran in, as far as they gave anything; absent: none',
  );
