import { type OpenPart, limits } from '@das/contracts';
import { nodeId } from '@das/kernel';
import { partIdOf } from '../core/part-id.js';
import { fittingParts, pages } from './pages.js';

const part = (name: string, attempts: number): OpenPart => {
  const node = nodeId(name);
  const live = Array.from({ length: attempts }, (_, i) => ({ attempt: 100_000 + i, node }));
  const [from, to] = [Number.MAX_SAFE_INTEGER - 2, Number.MAX_SAFE_INTEGER - 1];
  return {
    ...{ part: partIdOf('gather', from, to, 30_000), kind: 'gather', from, to, tries: 30_000, avoid: node },
    ...{ state: 'assigned', lastAttempt: 100_000 + attempts, live },
  };
};

describe('a page of open parts', () => {
  it.each([
    ['of short names', 'n', 0],
    ['of ordinary names', 'node-1', 1],
    ['of long names', 'n'.repeat(64), 2],
    ['with many attempts', 'n'.repeat(64), 100],
  ])('fits a message, and wastes no more than half of it: %s', (_, name, attempts) => {
    const page = fittingParts(Array<OpenPart>(2 * pages.openPartsMax).fill(part(name, attempts)), limits.pageBytesMax);
    const bytes = JSON.stringify(page).length;
    expect(bytes).toBeLessThanOrEqual(limits.pageBytesMax);
    if (page.length < pages.openPartsMax) expect(bytes).toBeGreaterThan(limits.pageBytesMax / 2);
  });
});
