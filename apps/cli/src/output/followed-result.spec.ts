import fc from 'fast-check';
import { FollowedResult } from './followed-result.js';

async function follow(pieces: readonly string[]) {
  let written = '';
  const followed = new FollowedResult(async (bytes) => void (written += Buffer.from(bytes).toString()));
  for (const piece of pieces) await followed.take(Buffer.from(piece));
  return { written, endsInVerdict: followed.endsInVerdict };
}

describe('a result that is followed', () => {
  const verdict = '{"$failed":{"code":"X"}}\n';

  it('hands on each line as soon as it comes', async () => {
    expect(await follow(['1\n', '{"a":', '2}\n3\n'])).toEqual({ written: '1\n{"a":2}\n3\n', endsInVerdict: false });
  });

  it('keeps a verdict back, however it is cut into pieces', () =>
    fc.assert(
      fc.asyncProperty(fc.array(fc.nat(60), { maxLength: 6 }), async (cuts) => {
        const whole = `1\n{"$fail":2}\n${verdict}`;
        const places = [0, ...cuts.map((cut) => Math.min(cut, whole.length)).sort((a, b) => a - b), whole.length];
        const pieces = places.slice(1).map((to, i) => whole.slice(places[i], to));
        expect(await follow(pieces)).toEqual({ written: '1\n{"$fail":2}\n', endsInVerdict: true });
      }),
    ));

  it('takes for a verdict only what is the last line', async () => {
    expect(await follow([verdict, '1\n'])).toEqual({ written: `${verdict}1\n`, endsInVerdict: false });
  });

  it('takes no end of a line for one', async () => {
    expect((await follow(['"x', verdict])).endsInVerdict).toBe(false);
  });
});
