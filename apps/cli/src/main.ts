import { environment } from '@das/platform/basics';
import { runCli } from './cli.js';
import { processWorld } from './world.js';

process.exitCode = await runCli(process.argv.slice(2), processWorld(environment()));
