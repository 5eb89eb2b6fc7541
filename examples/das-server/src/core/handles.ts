import { createHash } from 'node:crypto';

/** The name of an atom: 32 hex digits (md5), the same on every server that holds the atom. */
export type Handle = string;

export const handlePattern = /^[0-9a-f]{32}$/;

/** `md5("<Type> <name>")` */
export function nodeHandle(type: string, name: string): Handle {
  return md5(`${type} ${name}`);
}

/** `md5(md5("<Type>") + " " + target handles joined by " ")` */
export function linkHandle(type: string, targets: readonly Handle[]): Handle {
  return compositeHash(typeHash(type), targets);
}

/** The hash of a type's name. */
export function typeHash(type: string): Handle {
  return md5(type);
}

/** A link's hash from the hash of its type and one hash per target: their handles, or their types' hashes. */
export function compositeHash(type: Handle, targets: readonly Handle[]): Handle {
  return md5([type, ...targets].join(' '));
}

function md5(text: string): Handle {
  return createHash('md5').update(text).digest('hex');
}
