import { limits } from '@das/contracts';
import { faultOfReply } from '../../rpc.js';
import { type Bench, codeOf, collector, message, textOf } from './tools.contract.js';

/** Bounded payloads, raw bytes. */
export function payloadsContract(bench: Bench): void {
  it('refuses a message beyond the payload limit before it is sent, and works on', async () => {
    const [caller, answerer] = [await bench().connect(), await bench().connect()];
    const seen = collector();
    await answerer.subscribe('r.large', {}, async (received) => {
      await seen.handler(received);
      return { payload: new Uint8Array(Number(textOf(received))) };
    });
    const tooLarge = { subject: 'r.large', envelope: {}, payload: new Uint8Array(limits.payloadBytesMax + 1) };
    expect(await codeOf(caller.request(tooLarge, { timeoutMs: 5_000 }))).toBe('PAYLOAD_TOO_LARGE');
    expect(await codeOf(caller.publish(tooLarge))).toBe('PAYLOAD_TOO_LARGE');
    const reply = await caller.request(message('r.large', String(limits.payloadBytesMax + 1)), { timeoutMs: 5_000 });
    expect(faultOfReply(reply)?.code).toBe('PAYLOAD_TOO_LARGE');
    const most = await caller.request(message('r.large', String(limits.payloadBytesMax)), { timeoutMs: 5_000 });
    expect(most.payload.byteLength).toBe(limits.payloadBytesMax);
    expect(seen.got).toHaveLength(2);
  });

  it('counts headers against the payload limit', async () => {
    const [caller, hearer] = [await bench().connect(), await bench().connect()];
    const seen = collector();
    await hearer.subscribe('r.exact', {}, seen.handler);
    const fits = { subject: 'r.exact', envelope: {}, payload: new Uint8Array(limits.payloadBytesMax) };
    await caller.publish(fits);
    await seen.until(1);
    expect(await codeOf(caller.publish({ ...fits, envelope: { id: 'i' } }))).toBe('PAYLOAD_TOO_LARGE');
  });

  it('carries a raw mebibyte of every byte both ways', async () => {
    const [caller, answerer] = [await bench().connect(), await bench().connect()];
    await answerer.subscribe('r.raw', {}, async (received) => ({ payload: received.payload }));
    const payload = Uint8Array.from({ length: limits.pageBytesMax }, (_, n) => (n * 31) % 256);
    const reply = await caller.request({ subject: 'r.raw', envelope: {}, payload }, { timeoutMs: 10_000 });
    expect(Buffer.compare(Buffer.from(reply.payload), Buffer.from(payload))).toBe(0);
  });
}
