export { type NodeConfig, inStartOrder, nodeConfig } from './config.js';
export { runNode } from './node.js';
