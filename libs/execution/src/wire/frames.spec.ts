import fc from 'fast-check';
import { FrameReader, frame, frameBytesMax, jsonFrame, numberedFrame, splitHead } from './frames.js';

const framesIn = (reader: FrameReader): Array<[string, string]> => {
  const frames: Array<[string, string]> = [];
  for (let next = reader.next(); next !== undefined; next = reader.next())
    frames.push([next.type, next.payload.toString()]);
  return frames;
};

describe('frames', () => {
  it('come out as they went in, wherever the stream was cut', () => {
    const sent = fc.array(fc.tuple(fc.constantFrom('O', 'X', 'F'), fc.string({ maxLength: 40 })), { maxLength: 8 });
    fc.assert(
      fc.property(sent, fc.integer({ min: 1, max: 60 }), (frames, size) => {
        const stream = Buffer.concat(frames.flatMap(([type, text]) => frame(type, Buffer.from(text))));
        const reader = new FrameReader();
        const heard: Array<[string, string]> = [];
        for (let at = 0; at < stream.length; at += size) {
          reader.push(stream.subarray(at, at + size));
          heard.push(...framesIn(reader));
        }
        expect(heard).toEqual(frames);
      }),
    );
  });

  it('are refused when they are too long, before they are read', () => {
    const head = Buffer.alloc(5);
    head.writeUInt32LE(frameBytesMax + 1);
    head.write('O', 4);
    const reader = new FrameReader();
    reader.push(head);
    expect(() => reader.next()).toThrow('the limit is');
  });

  it.each(
    [...'FXIL'].map((type) => [type, 256 * 1024] as const).concat([...'CTR'].map((type) => [type, 4096] as const)),
  )('of type %s have %i bytes at most, told from the head alone', (type, most) => {
    const headOf = (length: number): FrameReader => {
      const head = Buffer.alloc(5);
      head.writeUInt32LE(length);
      head.write(type, 4);
      const reader = new FrameReader();
      reader.push(head);
      return reader;
    };
    expect(headOf(most).next()).toBeUndefined();
    expect(() => headOf(most + 1).next()).toThrow(`the limit is ${most}`);
  });

  it.each(['D', 'z', '\0'])('of a type that no worker sends (%j) are refused', (type) => {
    const reader = new FrameReader();
    reader.push(Buffer.concat(frame(type)));
    expect(() => reader.next()).toThrow(`a frame of type ${JSON.stringify(type)}`);
  });

  it('have a JSON head of 64 KiB at most in front of raw bytes', () => {
    const headOf = (length: number): Buffer => {
      const bytes = Buffer.alloc(4 + length, ' ');
      bytes.writeUInt32LE(length);
      bytes.write('7', 4);
      return bytes;
    };
    expect(splitHead(headOf(64 * 1024)).head).toBe(7);
    expect(() => splitHead(headOf(64 * 1024 + 1))).toThrow('the limit is 65536');
  });

  it('carry a number, or a JSON head, in front of raw bytes', () => {
    expect(Buffer.concat(numberedFrame('D', 7, Buffer.from('ab'))).subarray(5)).toEqual(
      Buffer.from([7, 0, 0, 0, 97, 98]),
    );
    const text = Buffer.from('{"a":1}');
    const length = Buffer.from([text.length, 0, 0, 0]);
    expect(splitHead(Buffer.concat([length, text, Buffer.from('raw')]))).toEqual({
      head: { a: 1 },
      raw: Buffer.from('raw'),
    });
    expect(Buffer.concat(jsonFrame('I', [1])).toString('utf8', 5)).toBe('[1]');
  });
});
