export { service } from './service.js';
export { PostgresResultStore } from './postgres/postgres-result-store.js';
export { openStore } from './postgres/open-store.js';
export { type StoreConfig, storeConfig } from './config.js';
