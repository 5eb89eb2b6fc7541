import { formatAddress, parseIp } from './core/address.js';
import { noBytes } from './core/codec/bytes.js';
import type { Keyring } from './core/codec/keyring.js';
import type { Cipher } from './core/codec/cipher.js';
import { parseJoinAddress } from './core/join-address.js';
import { limits } from './core/limits.js';
import { isPresent } from './core/member-table.js';
import type { Address, Member, Rng } from './core/types.js';
import type { Delegates } from './delegates.js';
import { type Done, Engine } from './engine/engine.js';
import { MemberlistError, type MemberlistErrorCode } from './errors.js';
import { engineListener, hooksOf } from './glue.js';
import { type MemberlistOptions, resolveOptions } from './options.js';
import type { Clock } from './ports/clock.js';
import type { Resolver } from './ports/resolver.js';
import type { Transport } from './ports/transport.js';

/** What a node runs on; `createMemberlist` makes those of this host. */
export interface MemberlistPorts {
  readonly transport: Transport;
  readonly clock: Clock;
  readonly cipher: Cipher;
  readonly resolver: Resolver;
  readonly rng: Rng;
}

/** A node of a cluster: it runs from the moment it is made until {@link shutdown}. */
export class Memberlist {
  readonly #engine: Engine;
  readonly #bindPort: number;
  #closing: Promise<void> | undefined;

  /** @throws MemberlistError CONFIG_INVALID, META_TOO_LARGE; the transport stays open */
  constructor(
    private readonly options: MemberlistOptions,
    private readonly ports: MemberlistPorts,
    private readonly delegates: Delegates = {},
  ) {
    const { config, wire } = resolveOptions(options, ports.cipher);
    this.keyring = wire.keyring;
    this.#bindPort = config.bindPort === 0 ? ports.transport.address.port : config.bindPort;
    const listener = engineListener(delegates);
    this.#engine = new Engine({ config, wire, hooks: hooksOf(delegates), ...ports, listener });
    this.#engine.start(this.#meta());
  }

  /** The keys in use; changing it changes what is sent and accepted at once. */
  readonly keyring: Keyring;

  /** Members that are alive or suspect, ourselves included. */
  get members(): readonly Member[] {
    return this.#engine.node.table.all.filter(isPresent);
  }

  /** Everyone known, the dead and the left included while they are remembered. */
  get known(): readonly Member[] {
    return this.#engine.node.table.all;
  }

  /** Ourselves, as others are told. */
  get self(): Member {
    const own = this.#engine.node.table.get(this.options.name);
    if (own === undefined) throw new MemberlistError('CLOSED', 'the node refused itself');
    return own;
  }

  /** How much we trust ourselves: 0 is healthy, more stretches our timeouts. */
  get healthScore(): number {
    return this.#engine.node.awareness.score;
  }

  /**
   * Joins the clusters of nodes at these addresses, `[name/]host[:port]`. One is enough.
   * @returns how many answered
   * @throws MemberlistError JOIN_FAILED when none did, naming each problem
   */
  async join(addresses: readonly string[]): Promise<number> {
    const problems: string[] = [];
    let joined = 0;
    for (const text of addresses) {
      for (const result of await this.#joinOne(text)) {
        if (result === undefined) joined++;
        else problems.push(`${text}: ${result}`);
      }
    }
    if (joined === 0)
      throw new MemberlistError('JOIN_FAILED', `could not join: ${problems.join('; ') || 'no address'}`);
    return joined;
  }

  /**
   * Tells everyone that we leave, and waits until it was told often enough. The node goes on answering: {@link shutdown} it then.
   * @param timeoutMs 0 waits without limit
   * @throws MemberlistError CLOSED; BROADCAST_TIMEOUT: we have left all the same
   */
  leave(timeoutMs: number): Promise<void> {
    return this.#within(timeoutMs, 'BROADCAST_TIMEOUT', (done) => this.#engine.leave(done));
  }

  /**
   * Asks the delegate for our attributes and tells everyone; after {@link leave} nobody, and there is nothing to wait for.
   * @param timeoutMs 0 waits without limit
   * @throws MemberlistError META_TOO_LARGE, CLOSED; BROADCAST_TIMEOUT: they are spreading all the same
   */
  async update(timeoutMs: number): Promise<void> {
    const meta = this.#meta();
    await this.#within(timeoutMs, 'BROADCAST_TIMEOUT', (done) => this.#engine.update(meta, done));
  }

  /** Round trip of one direct probe, ms. @throws MemberlistError NO_PING_RESPONSE, UNKNOWN_MEMBER, CLOSED */
  async ping(name: string): Promise<number> {
    if (this.#closing !== undefined) throw closed();
    const member = this.#member(name);
    const rttMs = await new Promise<number | undefined>((resolve) => this.#engine.ping(member, name, resolve));
    if (rttMs === undefined) throw new MemberlistError('NO_PING_RESPONSE', `no ping response from ${name}`);
    return rttMs;
  }

  /** Sends a user message in one datagram, which may be lost. @throws MemberlistError UNKNOWN_MEMBER */
  sendBestEffort(name: string, payload: Uint8Array): void {
    this.#engine.sendPacket(this.#member(name), payload);
  }

  /** Sends a user message over a stream. @throws MemberlistError UNKNOWN_MEMBER, SEND_FAILED */
  async sendReliable(name: string, payload: Uint8Array): Promise<void> {
    const member = this.#member(name);
    await this.#within(0, 'SEND_FAILED', (done) => this.#engine.sendStream(member, payload, done));
  }

  /** Sends a user message in one datagram to any address. */
  sendToAddress(to: Address, payload: Uint8Array): void {
    this.#engine.sendPacket(to, payload);
  }

  /** Stops, without a word to others. Resolves when the ports are free. Idempotent. */
  shutdown(): Promise<void> {
    this.#engine.close();
    this.#closing ??= this.ports.transport.close();
    return this.#closing;
  }

  async #joinOne(text: string): Promise<(string | undefined)[]> {
    const parsed = parseJoinAddress(text, this.#bindPort);
    if (!parsed.ok) return [parsed.problem];
    const { name, host, port } = parsed.value;
    if (name === '' && this.options.requireNodeNames === true) return ['a node name is required: name/host:port'];
    const literal = parseIp(host);
    try {
      const addrs = literal === undefined ? await this.ports.resolver.resolve(host) : [literal];
      if (addrs.length === 0) return [`${host} has no address`];
      return await Promise.all(addrs.map((addr) => this.#pushPull({ addr, port })));
    } catch (error) {
      return [error instanceof Error ? error.message : String(error)];
    }
  }

  #pushPull(to: Address): Promise<string | undefined> {
    if (this.#closing !== undefined) return Promise.resolve('the node was closed');
    return new Promise((resolve) => {
      this.#engine.pushPull(to, true, (problem) => resolve(problem && `${formatAddress(to)}: ${problem}`));
    });
  }

  #within(timeoutMs: number, code: MemberlistErrorCode, run: (done: Done) => void): Promise<void> {
    const { clock } = this.ports;
    if (this.#closing !== undefined) return Promise.reject(closed());
    return new Promise((resolve, reject) => {
      const fail = (problem: string): void => reject(new MemberlistError(code, problem));
      const cancel = timeoutMs > 0 ? clock.at(clock.now() + timeoutMs, () => fail('timed out')) : () => undefined;
      run((problem) => {
        cancel();
        if (problem === undefined) resolve();
        else fail(problem);
      });
    });
  }

  #member(name: string): Member {
    const member = this.#engine.node.table.get(name);
    if (member === undefined)
      throw new MemberlistError('UNKNOWN_MEMBER', `no member is called ${JSON.stringify(name)}`);
    return member;
  }

  #meta(): Uint8Array {
    const meta = this.delegates.nodeMeta?.(limits.metaBytesMax) ?? noBytes;
    if (meta.length <= limits.metaBytesMax) return meta;
    throw new MemberlistError('META_TOO_LARGE', `node meta has ${meta.length} bytes: at most ${limits.metaBytesMax}`);
  }
}

function closed(): MemberlistError {
  return new MemberlistError('CLOSED', 'the node was closed');
}
