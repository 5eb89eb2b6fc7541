export { FakeClock, settled } from './fake-clock.js';
export { natsServer } from './nats.js';
export { type TestDatabase, type TestPostgres, databasePerTest, queryOnce, startTestPostgres } from './postgres.js';
