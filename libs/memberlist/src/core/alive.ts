import { formatAddress, isAddr, isAllowed } from './address.js';
import { broadcast } from './broadcast.js';
import { equalBytes, noBytes } from './codec/bytes.js';
import type { MessageOf } from './codec/message.js';
import { encodeText } from './codec/utf8.js';
import { limits } from './limits.js';
import { isPresent } from './member-table.js';
import { type Turn, note } from './node.js';
import { refute } from './refute.js';
import type { Member } from './types.js';
import { isNonsense, versionBytes } from './versions.js';

type Alive = MessageOf<'alive'>;

/** Our own announcements pass without the rules that protect us from what others say about us. */
export interface Bootstrap {
  readonly token?: number;
}

/** A node says that it is there, at this address, with these attributes (memberlist `state.go`, aliveNode). */
export function hearAlive(turn: Turn, message: Alive, bootstrap?: Bootstrap): void {
  const claim = claimOf(turn, message);
  if (claim === undefined || isIgnored(turn, claim)) return;
  const { node } = turn;
  const known = node.table.get(claim.name);
  if (known === undefined) {
    if (isAddable(turn, claim)) accept(turn, message, claim, addUnknown(turn, claim), bootstrap);
    return;
  }
  const moved = !equalBytes(known.addr, claim.addr) || known.port !== claim.port;
  if (moved && !mayMove(turn, known, claim)) return;
  const isSelf = claim.name === node.config.name;
  if (isSelf ? claim.incarnation < known.incarnation : !moved && claim.incarnation <= known.incarnation) return;
  node.suspicions.delete(claim.name);
  if (isSelf && bootstrap === undefined) refuteUnlessSame(turn, known, claim);
  else accept(turn, message, claim, known, bootstrap);
}

/** What the message says, as a record; nothing when it cannot be one. */
function claimOf(turn: Turn, message: Alive): Member | undefined {
  const { node: name, incarnation, addr } = message;
  const meta = message.meta ?? noBytes;
  if (!isAddr(addr) || meta.length > limits.metaBytesMax || isTooLong(name)) {
    note(turn, 'badMember', `alive of ${JSON.stringify(name)}: bad address, attributes or name`);
    return undefined;
  }
  const { config } = turn.node;
  const port = config.protocolVersion < 2 || message.port === 0 ? config.bindPort : message.port;
  const said = message.vsn ?? noBytes;
  const vsn = said.length > versionBytes ? said.slice(0, versionBytes) : said;
  return { name, addr, port, meta, vsn, incarnation, state: 'alive', stateChange: turn.now };
}

/** A character of a text has three bytes at most, so a short one need not be encoded to know. */
function isTooLong(name: string): boolean {
  return name.length * 3 > limits.nameBytesMax && encodeText(name).length > limits.nameBytesMax;
}

function isIgnored(turn: Turn, claim: Member): boolean {
  const { config, hooks, leaving } = turn.node;
  if (leaving && claim.name === config.name) return true;
  if (isNonsense(claim.vsn)) {
    note(turn, 'badVersions', `${claim.name} claims protocol ${claim.vsn.slice(0, 3).join(', ')}`);
    return true;
  }
  if (hooks.aliveProblem === undefined) return false;
  const problem = claim.vsn.length < versionBytes ? 'no versions' : hooks.aliveProblem(claim);
  if (problem !== undefined) note(turn, 'aliveRefused', `${claim.name}: ${problem}`);
  return problem !== undefined;
}

function isAddable(turn: Turn, claim: Member): boolean {
  const { config, table } = turn.node;
  if (!isAllowedHere(turn, claim)) return false;
  if (table.size >= limits.membersMax) {
    note(turn, 'tableFull', `no room for ${claim.name}: ${limits.membersMax} members`);
    return false;
  }
  return claim.incarnation > 0 || claim.name === config.name;
}

function isAllowedHere(turn: Turn, claim: Member): boolean {
  const allowed = isAllowed(claim.addr, turn.node.allowed);
  if (!allowed) note(turn, 'addressRefused', `${claim.name} at ${formatAddress(claim)}`);
  return allowed;
}

/** Unknown ones begin as dead at incarnation 0, so that coming alive is a change like any other. */
function addUnknown(turn: Turn, claim: Member): Member {
  const versions = claim.vsn.length >= versionBytes ? claim.vsn : noBytes;
  const unborn: Member = { ...claim, vsn: versions, incarnation: 0, state: 'dead' };
  turn.node.table.add(unborn, turn.rng);
  return unborn;
}

/** A name may change its address once its owner left, or was dead for long enough. */
function mayMove(turn: Turn, known: Member, claim: Member): boolean {
  if (!isAllowedHere(turn, claim)) return false;
  const reclaim = turn.node.config.deadNodeReclaimMs;
  const expired = known.state === 'dead' && reclaim > 0 && turn.now - known.stateChange > reclaim;
  if (known.state === 'left' || expired) return true;
  turn.effects.push({ kind: 'conflict', existing: known, other: claim });
  return false;
}

function refuteUnlessSame(turn: Turn, known: Member, claim: Member): void {
  const same =
    claim.incarnation === known.incarnation && equalBytes(claim.meta, known.meta) && equalBytes(claim.vsn, known.vsn);
  if (!same) refute(turn, claim.incarnation);
}

function accept(turn: Turn, message: Alive, claim: Member, known: Member, bootstrap: Bootstrap | undefined): void {
  broadcast(turn, claim.name, message, bootstrap?.token);
  const member: Member = {
    ...claim,
    vsn: claim.vsn.length >= versionBytes ? claim.vsn : known.vsn,
    stateChange: known.state === 'alive' ? known.stateChange : turn.now,
  };
  turn.node.table.update(member);
  if (!isPresent(known)) turn.effects.push({ kind: 'member', change: 'join', member });
  else if (!equalBytes(known.meta, member.meta)) turn.effects.push({ kind: 'member', change: 'update', member });
  if (known.state === 'suspect') turn.effects.push({ kind: 'member', change: 'refute', member });
}
