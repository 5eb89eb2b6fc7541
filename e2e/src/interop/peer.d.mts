import { LineProcess, type Waiting } from './line-process.mjs';

export interface PeerOptions {
  readonly name: string;
  readonly bind: string;
  readonly profile: 'lan' | 'wan' | 'local' | 'cluster';
  /** Hexadecimal. */
  readonly key?: string;
  readonly compression?: boolean;
  /** Base64, as all bytes. */
  readonly meta?: string;
  readonly state?: string;
  /** Ours only. */
  readonly label?: string;
  /** Whether it may be asked to gossip: a node without such a delegate has less to do. @default true */
  readonly gossips?: boolean;
  readonly delegateVersion?: readonly [number, number, number];
}

export interface Told {
  readonly event:
    'ready' | 'join' | 'leave' | 'update' | 'suspect' | 'refute' | 'conflict' | 'message' | 'merged' | 'log' | 'answer';
  readonly node?: string;
  readonly address?: string;
  readonly data?: string;
  readonly join?: boolean;
  readonly text?: string;
  readonly id?: number;
  /** Ours only. */
  readonly state?: string;
  readonly incarnation?: number;
}

export interface MemberView {
  readonly name: string;
  readonly address: string;
  readonly meta: string | null;
  /** Ours only. */
  readonly state?: string;
  readonly incarnation?: number;
}

export declare const ourPeer: (repository: string) => string[];
export declare function loopbackNetwork(): () => string;

export declare class Peer extends LineProcess<Told> {
  static start(program: readonly string[], options: PeerOptions): Promise<Peer>;
  readonly address: string;
  ask(name: 'members' | 'known'): Promise<MemberView[]>;
  ask(name: string, fields?: Readonly<Record<string, unknown>>): Promise<unknown>;
  saw(event: Told['event'], node: string, waiting?: Waiting): Promise<Told>;
  logged(pattern: RegExp, waiting?: Waiting): Promise<Told>;
  told(kinds: readonly Told['event'][], from?: number): Told[];
}
