import { Readable } from 'node:stream';
import { zipSync } from 'fflate';
import { limits } from '@das/contracts';
import { ArchiveRoom, readCode } from './code-part.js';
import { frontLimits } from './config.js';

describe('the part `code`', () => {
  const none = (): void => undefined;
  const inPieces = (bytes: Uint8Array, size: number): Readable =>
    Readable.from(
      Array.from({ length: Math.ceil(bytes.length / size) }, (_, n) => bytes.subarray(n * size, (n + 1) * size)),
    );

  it('is a text, or an archive by its first bytes, however it is cut on its way', async () => {
    expect(await readCode(inPieces(Buffer.from('def map(n): return "ö"'), 1), none)).toEqual({
      text: 'def map(n): return "ö"',
    });
    const zip = zipSync({ 'main.py': new Uint8Array(600_000) }, { level: 0 });
    let told = 0;
    const read = await readCode(inPieces(zip, 100), () => void (told += 1));
    expect('archive' in read && Buffer.compare(read.archive, zip)).toBe(0);
    expect(told).toBe(1);
  });

  it('is refused past the bound of what it is, with the rest unread', async () => {
    const endless = async function* (head: string): AsyncGenerator<Uint8Array, void> {
      yield Buffer.from(head);
      for (;;) yield await Promise.resolve(Buffer.alloc(1 << 20));
    };
    for (const [head, bytes] of [
      ['def map', limits.codeBytesMax],
      ['PK\x03\x04', limits.archiveBytesMax],
    ] as const)
      await expect(readCode(endless(head), none)).rejects.toThrow(`larger than ${bytes} bytes`);
  });

  it('waits outside while there is no room for one more archive', () => {
    const room = new ArchiveRoom();
    const leave = Array.from({ length: frontLimits.archivesMax }, () => room.enter());
    expect(() => room.enter()).toThrow(expect.objectContaining({ code: 'SERVICE_UNAVAILABLE', retryable: true }));
    leave[0]?.();
    leave[0]?.();
    room.enter();
    expect(() => room.enter()).toThrow('code bundles already');
  });
});
