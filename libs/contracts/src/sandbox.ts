import { z } from 'zod';

/** What keeps scripts in on a node: docs/security.md says what each stops. */
export const sandboxSchema = z.enum(['bwrap', 'landlock', 'none']);
export type SandboxLayer = z.infer<typeof sandboxSchema>;
