// A node inside a CPU group: it enters before anything of it runs, so its services and workers share one quota.
import { writeFileSync } from 'node:fs';

const group = process.env.DAS_BENCH_CGROUP;
if (group) writeFileSync(`${group}/cgroup.procs`, String(process.pid));
await import('../../apps/node/dist/main.js');
