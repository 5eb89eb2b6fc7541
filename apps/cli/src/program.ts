import { Command, CommanderError } from 'commander';
import type { GlobalOptions } from './client/endpoint.js';
import { leader, nodes, status } from './commands/cluster.js';
import { doctor } from './commands/doctor.js';
import { down } from './commands/down.js';
import { cancel, events, job, jobs, logs } from './commands/jobs.js';
import { results } from './commands/results.js';
import { run } from './commands/run.js';
import { joinCluster, up } from './commands/up.js';
import { type Context, contextOf } from './context.js';
import type { World } from './world.js';

type Action<Options extends GlobalOptions> = (context: Context<Options>, argument: string) => Promise<void>;

/** The command line `das`. Its parser prints help and usage errors; what it throws then is a CommanderError. */
export function programOf(world: World, version: string): Command {
  const program = new Command('das')
    .description('Run my script on all my machines.')
    .version(version)
    .option('--home <dir>', 'folder of the local cluster (default: DAS_HOME, ./.das, or that of this installation)')
    .option('--url <urls>', 'nodes to talk to, commas between (default: DAS_URL, or the cluster of the home)')
    .option('--json', 'print results, progress and errors as JSON')
    .exitOverride()
    .configureOutput({ writeErr: (text) => world.err(text.trimEnd()), writeOut: (text) => void world.out(text) })
    .showHelpAfterError('(das --help tells more)');
  const bound = <Options extends GlobalOptions>(action: Action<Options>) =>
    async function (this: Command): Promise<void> {
      await action(contextOf(world, this.optsWithGlobals<Options>()), this.args[0] ?? '');
    };
  clusterCommands(program, bound);
  runCommand(program, bound);
  jobCommands(program, bound);
  return program;
}

type Bind = <Options extends GlobalOptions>(action: Action<Options>) => (this: Command) => Promise<void>;

function clusterCommands(program: Command, bound: Bind): void {
  program
    .command('up')
    .description('start a cluster on this machine; Ctrl-C stops it')
    .option('--nodes <n>', 'how many nodes', '3')
    .option('--detach', 'go to the background; `das down` stops it')
    .option('--bind <addr>', 'address for REST and NATS; others than loopback let other machines in', undefined)
    .option('--port <port>', 'REST port of the first node; the others follow (default: free ports)')
    .option('--nats-port <port>', 'port of NATS (default: a free one)')
    .option('--split', 'one process per service')
    .action(bound(up));
  program
    .command('join <address>')
    .description('make this machine a node of a cluster; `das up --bind` prints the whole line')
    .option('--token <token>', 'token of the cluster (default: DAS_TOKEN, DAS_TOKEN_FILE)')
    .option('--token-file <file>', 'file with the token: keeps it out of process lists')
    .option('--name <name>', 'name of the node (default: the host, and some letters)')
    .option('--bind <addr>', 'address for REST')
    .option('--port <port>', 'REST port (default: a free one)')
    .option('--split', 'one process per service')
    .action(bound(joinCluster));
  program.command('down').description('stop the cluster of the home').action(bound(down));
  program.command('status').description('nodes, leader and running jobs').action(bound(status));
  program.command('nodes').description('who is here, and how busy').action(bound(nodes));
  program.command('leader').description('who assigns the work').action(bound(leader));
  program.command('doctor').description('look for what is missing or fragile').action(bound(doctor));
}

const collect = (value: string, before: readonly string[]): string[] => [...before, value];

function runCommand(program: Command, bound: Bind): void {
  program
    .command('run <script>')
    .description('run a script: map(item) for every item, or main(params)')
    .option('--input <path>', 'items: a file, - (standard input), a folder or a pattern')
    .option('--format <format>', 'ndjson, lines or files (default: by the name: .ndjson, .jsonl; folders are files)')
    .option('--range <a:b>', 'items: the integers a to b-1')
    .option(
      '--param <k=v>',
      'parameter of the script; JSON if it reads as such, else text; may be repeated',
      collect,
      [],
    )
    .option('--param-json <file>', 'parameters: one JSON object')
    .option('--items-per-part <n>', 'fixed part size (default: learnt)')
    .option('--timeout <time>', 'no progress for this long ends an attempt, e.g. 10s')
    .option('--retries <n>', 'how often a failed item is tried again')
    .option('--tolerate <share>', 'items that may fail: 5%, or a number')
    .option('--priority <n>', 'weight among jobs')
    .option('--concurrency <n>', 'slots that the job may use at once')
    .option('--buckets <n>', 'number of reduce parts')
    .option('--network', 'let the script use the network')
    .option('--name <name>', 'shown in lists')
    .option('--detach', 'submit, print the id, and leave')
    .option('--output <file>', 'write the result there instead of standard output')
    .addHelpText('after', '\nExit codes: 0 succeeded, 1 failed, 2 usage, 130 cancelled (Ctrl-C cancels the job).')
    .action(bound(run));
}

function jobCommands(program: Command, bound: Bind): void {
  program
    .command('jobs')
    .description('jobs, the newest first')
    .option('--state <state>', 'only those in this state')
    .option('--limit <n>', 'how many', '20')
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
    .option('--follow', 'while it comes about; provisional until the job succeeds')
    .option('--output <file>', 'write it there')
    .action(bound(results));
  program
    .command('events <id>')
    .description('what happened to a job')
    .option('-f, --follow', 'go on until the job ends')
    .action(bound(events));
  program.command('cancel <id>').description('cancel a job; twice is fine').action(bound(cancel));
}

export { CommanderError };
