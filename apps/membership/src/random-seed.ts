/** A seed for chance that need not be secret, from a random id. */
export const randomSeed = (id: string): number => Buffer.from(id, 'base64url').readUInt32LE(0);
