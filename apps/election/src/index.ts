export { electionConfig } from './config.js';
export { service } from './service.js';
