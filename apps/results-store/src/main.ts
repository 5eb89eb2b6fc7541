import { runMain } from '@das/platform';
import { service } from './service.js';

await runMain(service);
