import { type ServiceName, serviceNames } from '@das/platform';
import { z } from 'zod';

/** Settings of a node; those of its services are in their own schemas. */
export const nodeConfig = z.object({
  DAS_NODE_PROCESSES: z
    .enum(['single', 'split'])
    .default('single')
    .describe('single: all services in one process (110 MB instead of 300 MB); split: one process each.'),
  DAS_NODE_SERVICES: z
    .string()
    .default(serviceNames.join(','))
    .transform((list) => list.split(',').map((name) => name.trim()))
    .pipe(z.array(z.enum(serviceNames)).min(1))
    .describe('Services of this node, separated by commas. A node without results-store uses those of other nodes.'),
});
export type NodeConfig = z.infer<typeof nodeConfig>;

/** The truth first and the front door last: it opens when the rest of the node can answer. They end in the reverse order. */
const startOrder: readonly ServiceName[] = [
  'results-store',
  'telemetry',
  'membership',
  'election',
  'executor',
  'job-splitter',
];

/** The wanted services, each once, in the order they are started. */
export function inStartOrder(wanted: readonly ServiceName[]): ServiceName[] {
  return startOrder.filter((name) => wanted.includes(name));
}
