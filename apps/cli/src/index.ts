export { runCli } from './cli.js';
export { type World, processWorld } from './world.js';
