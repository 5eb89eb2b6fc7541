export { membershipConfig } from './config.js';
export type { MemberEvents, MemberListener } from './ports/member-events.js';
export { service } from './service.js';
