import { Command, CommanderError, Option } from 'commander';
import type { GlobalOptions } from './client/endpoint.js';
import { leader, nodes, status } from './commands/cluster.js';
import { doctor } from './commands/doctor.js';
import { down } from './commands/down.js';
import { changeKeys, generateKey, listKeys } from './commands/gossip-keys.js';
import { cancel, events, job, jobs, logs } from './commands/jobs.js';
import { members } from './commands/members.js';
import { results } from './commands/results.js';
import { run } from './commands/run.js';
import { sync } from './commands/sync.js';
import { joinCluster, up } from './commands/up.js';
import { type Context, contextOf } from './context.js';
import type { World } from './world.js';

type Action<Options extends GlobalOptions> = (
  context: Context<Options>,
  argument: string,
  all: readonly string[],
) => Promise<void>;

/** The command line `das`. Its parser prints help and usage errors; what it throws then is a CommanderError. */
export function programOf(world: World, version: string): Command {
  const program = new Command('das')
    .description('Run my script on all my machines.')
    .version(version)
    .option('--home <dir>', 'folder of the local cluster (default: DAS_HOME, ./.das, or that of this installation)')
    .option('--url <urls>', 'nodes to talk to, commas between (default: DAS_URL, or the cluster of the home)')
    .option('--json', 'print results, progress and errors as JSON')
    .exitOverride()
    .configureOutput({
      writeErr: (text) => world.err(text.trimEnd()),
      writeOut: (text) => void world.out(text).catch(() => undefined),
    })
    .showHelpAfterError('(das --help tells more)');
  const bound = <Options extends GlobalOptions>(action: Action<Options>) =>
    async function (this: Command): Promise<void> {
      await action(contextOf(world, this.optsWithGlobals<Options>()), this.args[0] ?? '', this.args);
    };
  clusterCommands(program, bound);
  membershipCommands(program, bound);
  runCommands(program, bound);
  jobCommands(program, bound);
  return program;
}

type Bind = <Options extends GlobalOptions>(action: Action<Options>) => (this: Command) => Promise<void>;

function clusterCommands(program: Command, bound: Bind): void {
  program
    .command('up')
    .description('start a cluster on this machine; Ctrl-C stops it')
    .option('--nodes <n>', 'how many nodes (1 to 64)', '3')
    .option('--detach', 'go to the background; `das down` stops it')
    .option(
      '--bind <addr>',
      'address for REST and NATS (default: 127.0.0.1); others than loopback let other machines in',
    )
    .option('--port <port>', 'REST port of the first node; the others follow (default: free ports)')
    .option('--nats-port <port>', 'port of NATS (default: a free one)')
    .option('--split', 'one process per service')
    .addOption(new Option('--supervised').hideHelp())
    .action(bound(up));
  program
    .command('join <address>')
    .description('make this machine a node of a cluster; `das up --bind` prints the whole line')
    .option('--token <token>', 'token of the cluster (default: DAS_TOKEN, DAS_TOKEN_FILE)')
    .option('--token-file <file>', 'file with the token: keeps it out of process lists')
    .option('--name <name>', 'name of the node (default: the host, and some letters)')
    .option('--bind <addr>', 'address for REST (default: 127.0.0.1)')
    .option('--port <port>', 'REST port (default: a free one)')
    .option('--split', 'one process per service')
    .action(bound(joinCluster));
  program.command('down').description('stop the cluster of the home').action(bound(down));
  program.command('status').description('nodes, leader and running jobs').action(bound(status));
  program.command('nodes').description('who is here, and how busy').action(bound(nodes));
  program.command('leader').description('who assigns the work').action(bound(leader));
  program.command('doctor').description('look for what is missing or fragile').action(bound(doctor));
}

function membershipCommands(program: Command, bound: Bind): void {
  program
    .command('members')
    .description('who is here, as the gossip of one node sees it')
    .option('--wide', 'services, labels, incarnations, round trips, and how the gossip is doing')
    .action(bound(members));
  const keys = program
    .command('gossip')
    .description('the keys that encrypt the gossip between nodes')
    .command('keys')
    .description(
      'change keys without a stop: generate, install, use, remove the old one; KEY - reads it from standard input',
    );
  keys.command('list').description('which node has which keys').action(bound(listKeys));
  keys.command('generate').description('print a new key').action(bound(generateKey));
  const steps = {
    install: 'have every node understand a key',
    use: 'have every node encrypt with an installed key, given whole or by its fingerprint',
    remove: 'have every node forget a key that does not encrypt, given whole or by its fingerprint',
  } as const;
  for (const [action, what] of Object.entries(steps) as [keyof typeof steps, string][]) {
    const step = keys.command(`${action} <key>`).description(what);
    if (action !== 'install')
      step.option('--foreign-changed', 'members that are none of our nodes had their keys changed by their own means');
    step.action(bound(changeKeys(action)));
  }
}

const exitCodesHelp = `
Exit codes: 0 succeeded, 1 failed, 2 usage, 130 cancelled (Ctrl-C cancels the job; once it has ended, Ctrl-C only stops the printing).
A reader that closes the pipe (| head) ends das quietly, with 0: the job has succeeded, and das results prints the rest.`;

const collect = (value: string, before: readonly string[] = []): string[] => [...before, value];

function runCommands(program: Command, bound: Bind): void {
  runOptions(program.command('run [script] [arguments...]'))
    .description(
      'run a script, a folder or an archive (.zip, .tar, .tgz): map(item) for every item, or main(params); or any program, with its arguments',
    )
    .option(
      '--command [text]',
      'run shell text, or a program: --command -- PROGRAM ARGUMENT…; items are lines, and so are results',
    )
    .option(
      '--per-item',
      'of a command: a process for each item; so it is, too, where {} stands for the item, {n} for its number',
    )
    .option('--items-as <format>', 'of a command: text, or json for text that is encoded as JSON, too (default: text)')
    .option('--output-format <format>', 'of a command: its lines are text, or json (default: text)')
    .option('--detach', 'submit, print the id, and leave')
    .addHelpText('after', exitCodesHelp)
    .action(bound(run));
  runOptions(program.command('sync <folder>'))
    .description(
      'run a folder or script again at every change of its files, until Ctrl-C; what still runs is cancelled first',
    )
    .action(bound(sync));
}

/** What is said of a job, however it is submitted. */
function runOptions(command: Command): Command {
  return command
    .option(
      '--include <path>',
      "more files for the script: a file, folder or pattern, in quotes, below the script's folder; may be repeated",
      collect,
    )
    .option(
      '--entry <file>',
      'the script in a folder or archive (default: main.py, job.py, __main__.py, or the only one at its top)',
    )
    .option('--input <path>', 'items: a file, - (standard input), a folder or a pattern, in quotes')
    .option(
      '--format <format>',
      'ndjson, lines or files (default: ndjson for .ndjson, .jsonl and -; files for folders and patterns; lines for others, but .json needs one of them)',
    )
    .option('--range <a:b>', 'items: the integers a to b-1, e.g. 0:1000')
    .option('--param <k=v>', 'parameter of the script; JSON if it reads as such, else text; may be repeated', collect)
    .option('--param-json <file>', 'parameters: one JSON object')
    .option('--items-per-part <n>', 'items of a part, 1 to 1000000 (default: learnt, for parts of about a second)')
    .option(
      '--timeout <time>',
      'no progress for this long ends an attempt, 100ms to 24h (default: 10s; gather, main: none)',
    )
    .option('--retries <n>', 'how often a failed item is tried again, 0 to 100 (default: 2)')
    .option('--tolerate <share>', 'items that may fail: a share like 5%, or a number (default: 0)')
    .option('--priority <n>', 'weight among jobs, 1 to 1000 (default: 100)')
    .option('--concurrency <n>', 'slots that the job may use at once, 1 to 100000 (default: all)')
    .option('--buckets <n>', 'number of reduce parts, 1 to 1024 (default: two per slot, at most 64)')
    .option(
      '--memory <size>',
      'memory of a worker with all that it starts, like 512M (default, and most: that of the node, 2G)',
    )
    .option('--cpu-time <time>', 'processor time of a process in one part, like 60s; whole seconds (default: none)')
    .option('--max-time <time>', 'how long one attempt of a part may run, like 5m (default: none)')
    .option('--processes <n>', 'processes and threads at a time (default, and most: that of the node, 256)')
    .option('--file-size <size>', 'one file that is written (default, and most: that of the node, 1G)')
    .option(
      '--scratch <size>',
      'all files of a worker together, where the sandbox bounds them (default, and most: that of the node, 256M)',
    )
    .option('--item-output <size>', 'the result of one item (default, and most: 16M)')
    .option('--part-output <size>', 'the results of one part (default: none)')
    .option('--log-size <size>', 'what one attempt may print, up to 64M (default: 1000000)')
    .option('--log-rate <n>', 'lines that one attempt may print in a second, up to 100000 (default: 4000)')
    .option('--network', 'the job may use the network of the nodes (default: it has none)')
    .option(
      '--venv <dir>',
      'Python virtual environment whose interpreter and packages the script has: a folder on the nodes, where scripts may read it (DAS_SCRIPT_READS)',
    )
    .option('--language <name>', 'python, node or wasm (default: by the ending of the script: .py, .js, .ts, .wasm …)')
    .option('--name <name>', 'shown in lists (default: the file name of the script)')
    .option(
      '--output <file>',
      'write the result there instead of standard output (-); a file appears when the result is whole',
    );
}

function jobCommands(program: Command, bound: Bind): void {
  program
    .command('jobs')
    .description('jobs, the newest first')
    .option(
      '--state <state>',
      'only those that are submitted, splitting, running, gathering, settling, succeeded, failed or cancelled',
    )
    .option('--limit <n>', 'how many, 1 to 1000', '20')
    .action(bound(jobs));
  program.command('job <id>').description('one job; `last` is the newest').action(bound(job));
  program
    .command('logs <id>')
    .description('what the script printed')
    .option('-f, --follow', 'go on until the job ends')
    .action(bound(logs));
  program
    .command('results <id>')
    .description('the result of a job, from any node')
    .option('--follow', 'while it comes about; provisional until the job succeeds, exit code 1 or 130 if it does not')
    .option('--output <file>', 'write it there instead of standard output (-); a file appears when the result is whole')
    .action(bound(results));
  program
    .command('events <id>')
    .description('what happened to a job')
    .option('-f, --follow', 'go on until the job ends')
    .action(bound(events));
  program.command('cancel <id>').description('cancel a job; twice is fine').action(bound(cancel));
}

export { CommanderError };
