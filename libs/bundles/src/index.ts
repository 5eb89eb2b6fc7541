export { type Bundle, type GivenFile, bundleOf, invalidCode, packChunks, packMagic, sha256 } from './bundle.js';
export { type BundleFile, InvalidBundleError, bytesOf, manifestText, parseManifest } from './core/manifest.js';
export { chooseEntry } from './core/entry.js';
export { sameButForCase } from './core/paths.js';
export { archiveHeadBytes, archiveKind, readArchive } from './archive/read-archive.js';
export { type FoundFile, listFolder, readFiles } from './folder/read-folder.js';
export { defaultRules, ignoreFile } from './folder/rules.js';
export { BundleCache, type BundleCacheOptions, type BundleLease, type FetchChunk } from './cache/bundle-cache.js';
