import { getEventListeners } from 'node:events';
import { unlessAborted } from './unless-aborted.js';

const fault = (): Error => new Error('interrupted');

describe('work that a signal may interrupt', () => {
  it('is what the work gives, and leaves nothing on the signal', async () => {
    const { signal } = new AbortController();
    expect(await unlessAborted(signal, Promise.resolve(7), fault)).toBe(7);
    await expect(unlessAborted(signal, Promise.reject(new Error('no')), fault)).rejects.toThrow('no');
    expect(getEventListeners(signal, 'abort')).toEqual([]);
  });

  it('is the fault when the signal is aborted before or during it', async () => {
    const controller = new AbortController();
    const during = unlessAborted(controller.signal, new Promise(() => undefined), fault);
    controller.abort();
    await expect(during).rejects.toThrow('interrupted');
    await expect(unlessAborted(controller.signal, Promise.reject(new Error('no')), fault)).rejects.toThrow(
      'interrupted',
    );
  });
});
