/** Codes 0..255 are the bytes themselves. */
export const lzw = { clear: 256, end: 257, firstWidth: 9, lastWidth: 12, codesMax: 4095 } as const;
