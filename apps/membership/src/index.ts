export { membershipConfig } from './config.js';
export type { MemberEvents, MemberListener } from './ports/member-events.js';
export { membershipOver, service } from './service.js';
