import 'reflect-metadata';
import { environment } from '@das/platform';
import { runNode } from './node.js';

await runNode(environment());
