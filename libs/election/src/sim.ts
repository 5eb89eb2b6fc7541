/** What simulations are made of, for the simulator of whole clusters: `import { VirtualTime } from '@das/election/sim'`. Not for products. */
export { Links, type LinkOptions } from './sim/links.js';
export { SimClock } from './sim/sim-clock.js';
export { SimDisk } from './sim/sim-disk.js';
export { SimKv } from './sim/sim-kv.js';
export type { Asker } from './sim/sim-store.js';
export { VirtualTime, seeded } from './sim/virtual-time.js';
