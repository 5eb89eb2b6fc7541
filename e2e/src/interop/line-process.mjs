// A program that tells what happens in lines; a test waits for what it tells instead of sleeping.
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { findProgram } from './programs.mjs';

/** How long anything may take (ms) before a test gives up on it; never a time that a test waits out. */
export const withinMs = 90_000;
/** What a program told is kept for failure messages and late waiters, up to this many lines. */
const eventsMax = 200_000;
const shownMax = 40;

/** The kernel ends a program with us, also one that stands still, and however we end. */
const mortal = [findProgram('setpriv'), '--pdeathsig', 'KILL', '--'];
const withUs = (command) => (mortal[0] === undefined ? command : [...mortal, ...command]);

/** Where the kernel cannot: killed when this process ends in a way that lets it say goodbye. */
const running = new Set();
process.on('exit', () => running.forEach((child) => child.kill('SIGKILL')));

export class LineProcess {
  #waiters = new Set();

  /** `parse` makes an event of a line; a line it gives nothing for is dropped. */
  constructor(name, command, parse) {
    const [file, ...args] = withUs(command);
    this.name = name;
    this.events = [];
    this.child = spawn(file, args, { stdio: ['pipe', 'pipe', 'pipe'] });
    running.add(this.child);
    for (const stream of [this.child.stdout, this.child.stderr]) {
      createInterface({ input: stream }).on('line', (line) => this.#push(parse(line)));
    }
    this.child.stdin.on('error', () => undefined);
    this.ended = new Promise((resolve) => {
      const end = (reason) => {
        running.delete(this.child);
        this.over = reason;
        for (const waiter of [...this.#waiters]) waiter.check();
        resolve();
      };
      this.child.once('error', (error) => end(error.message));
      this.child.once('close', (code, signal) => end(`ended with ${signal ?? code}`));
    });
  }

  /** A place in what was told: only later events count from here. */
  get mark() {
    return this.events.length;
  }

  /** Resolves with the first event since `from` that matches; rejects when the process ends or time is over. */
  until(what, matches, { from = 0, limitMs = withinMs } = {}) {
    return new Promise((resolve, reject) => {
      let seen = from;
      const finish = (settle, value) => {
        clearTimeout(timer);
        this.#waiters.delete(waiter);
        settle(value);
      };
      const waiter = {
        check: () => {
          for (; seen < this.events.length; seen += 1) {
            if (matches(this.events[seen])) return finish(resolve, this.events[seen]);
          }
          if (this.over !== undefined) finish(reject, this.#failure(what, this.over));
        },
      };
      const timer = setTimeout(() => finish(reject, this.#failure(what, `not within ${limitMs} ms`)), limitMs);
      this.#waiters.add(waiter);
      waiter.check();
    });
  }

  signal(name) {
    this.child.kill(name);
  }

  /** Ends it at once, also when it is stopped; resolves when it is gone. */
  async kill() {
    if (this.over === undefined) this.child.kill('SIGKILL');
    await this.ended;
  }

  #push(event) {
    if (event === undefined || this.events.length >= eventsMax) return;
    this.events.push(event);
    for (const waiter of [...this.#waiters]) waiter.check();
  }

  #failure(what, why) {
    const last = this.events.slice(-shownMax).map((event) => JSON.stringify(event));
    return new Error(`${this.name}: ${what}: ${why}; last it told:\n${last.join('\n')}`);
  }
}
