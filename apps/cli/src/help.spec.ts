import { jobLimitsSchema } from '@das/contracts';
import { z } from 'zod';
import { StubCluster } from './stub-cluster.fixture.js';

const options = {
  '--retries': 'retries',
  '--items-per-part': 'itemsPerPart',
  '--priority': 'priority',
  '--concurrency': 'concurrency',
  '--buckets': 'buckets',
} as const;

describe('das run --help', () => {
  let help: string;
  beforeAll(async () => {
    const stub = await StubCluster.start();
    help = (await stub.das(['run', '--help'])).out.replace(/\s+/g, ' ');
    stub.stop();
  });

  it.each(Object.entries(options))('tells bounds and default of %s as the contract has them', (option, field) => {
    const { properties = {} } = z.toJSONSchema(jobLimitsSchema, { io: 'input' });
    const { minimum, maximum, default: fallback } = properties[field] as z.core.JSONSchema.JSONSchema;
    const line = help.slice(help.indexOf(`${option} `));
    expect(line).toMatch(new RegExp(`^${option} <n> [^(]*, ${minimum} to ${maximum} \\(default: `));
    // That of the buckets is the front door's: it knows the slots.
    if (fallback !== undefined && field !== 'buckets') expect(line).toContain(`(default: ${JSON.stringify(fallback)})`);
  });

  it('says that --network has no effect today', () =>
    expect(help).toContain('the job may use the network of the nodes (default: it has none)'));
});
