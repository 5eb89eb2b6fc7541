"""The worker's life: it waits for a script, then runs parts of that script's job until the executor ends it."""
import json
import os
import signal
import sys

from . import failures, limits, spool
from .channel import U32, Channel, Closed
from .command import Command
from .encode import limit_results
from .inspecting import inspect
from .locks import Locks
from .mapping import Full, Mapper
from .script import load
from .shut_in import shut_in
from .splitting import Differs, split
from .state import State
from .steps import gather, hook, hook_name, main_step, reduce_bucket, step_failure


class Worker:
    def __init__(self, channel, state, own_account):
        self.own_account = own_account
        self.cpu_ms = None
        self.channel = channel
        self.state = state
        self.script = None

    def serve(self):
        while True:
            kind, payload = self.channel.read()
            if kind == 'I':
                head = json.loads(payload)
                self.channel.send_json('I', inspect(head))
            elif kind == 'L':
                self.load(json.loads(payload))
            elif kind == 'B':
                self.run(json.loads(payload))
            # Data of a part that was given back may still arrive: it belongs to nobody.

    def load(self, head):
        bounds = head.get('limits')
        if bounds:
            self.cpu_ms = bounds.get('cpuMs')
            failures.learn(bounds['words'])
            limit_results(bounds['itemOutputBytes'])
            limits.allow(bounds, self.own_account)
        self.script, failure = load(head, self.state)
        flush_prints()
        self.channel.send_json('L', {'failure': failure})

    def run(self, head):
        self.script.begin({**head, 'cpuMs': self.cpu_ms})
        limits.allow_cpu(self.cpu_ms)
        self.state.locks.begin()
        self.state.view[0] = head['from']
        done = self.command(head) if isinstance(self.script, Command) else self.function(head)
        self.state.locks.end()
        flush_prints()
        self.state.view[0] = head['to']
        self.channel.send_json('X', done)

    def command(self, head):
        if head['kind'] not in ('map', 'main') or head.get('buckets'):
            return {'fatal': {'code': 'COMMAND_UNFIT', 'message': 'a command cannot be the %s of a job' % head['kind']}}
        done = self.script.map(self.channel, head) if head['kind'] == 'map' else self.script.main(self.channel)
        if self.state.cancelled:
            raise Closed
        return done

    def function(self, head):
        return self.map(head) if head['kind'] == 'map' else self.step(head)

    def map(self, head):
        try:
            mapper = Mapper(self.channel, self.script, self.state, head)
        except TypeError as fault:
            return {'fatal': failures.describe(fault, str(fault), with_traceback=False)}
        try:
            if head.get('base') is not None:
                mapper.run_range(head['base'])
            while mapper.at < mapper.to:
                kind, payload = self.channel.read()
                if kind == 'D':
                    mapper.run_block(U32.unpack_from(payload)[0], payload[4:])
            mapper.flush()
        except Full:
            pass
        return {}

    def step(self, head):
        kind = head['kind']
        try:
            if kind == 'split':
                return {'items': split(self.channel, self.script, self.state)}
            if kind == 'reduce':
                return {'items': reduce_bucket(self.channel, self.script, self.state)}
            if kind == 'gather':
                return {'items': gather(self.channel, self.script, head)}
            if kind == 'hook':
                return {'items': hook(self.channel, self.script, self.state, head)}
            return {'items': main_step(self.channel, self.script)}
        except Closed:
            raise
        except Differs as fault:
            return {'differs': str(fault)}
        except BaseException as thrown:
            return {'failure': step_failure(hook_name(head) if kind == 'hook' else kind, thrown)}


def flush_prints():
    """A print belongs to the part that printed it. The script may have closed or replaced these."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except BaseException:
            pass


def look_around(within):
    """What this worker must know of the sandbox that it was started in: {"network": bool, "lends": bool, "users": bool}."""
    failures.network_allowed = within['network']
    if within['lends']:
        spool.borrow()


def start(head):
    limits.die_with(head['parent'])
    limits.confine(head['limits'])
    if head.get('shutIn'):
        shut_in(head['shutIn'])
    if head.get('within'):
        look_around(head['within'])
    state = State()
    signal.signal(signal.SIGTERM, state.cancel)
    os.register_at_fork(after_in_child=state.leave_to_parent)
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(line_buffering=True, errors='backslashreplace')
    channel = Channel()
    state.locks = Locks(channel)
    channel.send_json('R', {'pid': os.getpid(), 'python': sys.version.split()[0]})
    try:
        Worker(channel, state, head['ownAccount']).serve()
    except Closed:
        limits.end_group()
    except BaseException:
        import traceback

        traceback.print_exc()
        os._exit(70)
