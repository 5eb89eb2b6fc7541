"""Jobs whose code is a command: what it is given and what it gives, whether by lines, one process for each item, or once for the whole job."""
import os
import re
import signal
from time import monotonic

from . import failures
from .batches import Batches, Hopeless, Whole
from .channel import U32
from .encode import check_result
from .failures import Limit
from .items import Items, NotAResult, Refused, result_of
from .limits import allow_cpu_of
from .mapping import FAILURES_MAX, FLUSH_BYTES, FLUSH_S, Full
from .piping import Run, how_it_ended
from .program import BadItem, Program, environment, part_environment
from .steps import Lines

NOT_FOUND = (126, 127)
SIGNALS = {-signal.SIGXCPU: 'cpu', -signal.SIGXFSZ: 'file'}
# The system's own words for these, which a command mostly passes on.
SAID = (
    (re.compile('cannot allocate memory|out of memory|memory exhausted|memoryerror|bad_alloc', re.I), 'memory'),
    (re.compile('file too large|file size limit exceeded', re.I), 'file'),
    (re.compile('no space left on device|disk quota exceeded', re.I), 'scratch'),
    (re.compile('cannot fork|fork: retry|fork failed', re.I), 'processes'),
)


class Command:
    """What `script.Script` is for functions."""

    def __init__(self, head, state):
        self.spec = head['command']
        self.node = head['node']
        self.state = state
        self.program = Program(head['text'], head['filename'], self.spec)
        self.as_json = self.spec['results'] == 'json'
        self._env = environment(head)
        self.env = self._env

    def begin(self, head):
        cpu_ms = head['cpuMs']
        self.cpu_s = self.cpu_left = None if cpu_ms is None else cpu_ms / 1000
        self.env = {**self._env, **part_environment(head)}

    def start(self, source, hear, item=None, number=None):
        """A run that has begun. Raises BadItem; Hopeless when it cannot be started."""
        argv = self.program.argv(item or b'', number or 0)
        env = self.env if number is None else {**self.env, 'DAS_ITEM_NUMBER': str(number)}
        try:
            run = Run(self.program, argv, env, self.state, source, hear, logger(number))
        except (OSError, ValueError) as fault:
            why = fault.strerror if isinstance(fault, OSError) else fault
            shown = failures.short(str(argv[0]), 200)
            raise Hopeless('%s cannot be started on %s: %s' % (shown, self.node, why)) from None
        if self.cpu_left is not None:
            allow_cpu_of(run.pid, self.cpu_left)
        return run

    def ended(self, run):
        """Whether the part may go on: what it has used of its time counts for all of its processes."""
        if self.cpu_left is None:
            return True
        self.cpu_left -= run.usage.ru_utime + run.usage.ru_stime
        return self.cpu_left > 0

    def failure_of(self, run):
        """How a run failed, for people."""
        words = run.last_words()
        message = 'the command %s%s' % (how_it_ended(run.exit), ': ' + words if words else '')
        failure = failures.by_limit(self._limit_of(run, words), message)
        if failure is None:
            # What ends a process for want of memory leaves no word; who made its limits may know.
            failure = {**failed(message), 'unexplained': True}
        if run.exit in NOT_FOUND:
            failure['hint'] = 'a program that the command names must be on every node, and executable'
        return failure

    def _limit_of(self, run, words):
        used = run.usage.ru_utime + run.usage.ru_stime
        if run.exit == -signal.SIGKILL and self.cpu_s is not None and used >= self.cpu_s:
            return 'cpu'
        return SIGNALS.get(run.exit) or next((kind for said, kind in SAID if said.search(words)), None)

    def map(self, channel, head):
        """What the part's end says."""
        try:
            CommandMapper(channel, self, head).run()
        except Full:
            pass
        except Hopeless as fault:
            return {'fatal': fault.failure()}
        return {}

    def main(self, channel):
        """Runs once, without items: a result for each line."""
        if self.program.has_placeholder:
            return {'fatal': Hopeless('the command has a placeholder like {}, and the job has no items').failure()}
        lines, count, rest = Lines(channel), 0, b''

        def hear(piece):
            nonlocal count, rest
            *whole, rest = (rest + piece).split(b'\n')
            check_result(len(rest))
            for line in whole:
                lines.raw(result_of(line, self.as_json))
            count += len(whole)
            self.state.advance()

        try:
            run = self.start(None, hear)
            run.finish()
            if rest and run.exit == 0:
                hear(b'\n')
        except Hopeless as fault:
            return {'fatal': fault.failure()}
        except (NotAResult, Limit) as fault:
            return {'failure': failed(fault)}
        if run.exit != 0:
            return {'failure': self.failure_of(run)}
        lines.flush()
        return {'items': count}


class CommandMapper:
    """One part. As those of `mapping.Mapper`, the frames it sends cover the items in order."""

    def __init__(self, channel, command, head):
        self.channel, self.command, self.state = channel, command, command.state
        self.items = Items(channel, head, command.spec['items'] == 'json')
        self.to = head['to']
        self.at = self.sent = head['from']
        self.failed = 0
        self.lines, self.size = [], 0
        self.flushed_at = monotonic()

    def run(self):
        step = self._one_item if self.command.program.per_item else Batches(self).next
        while self.at < self.to:
            given = self.items.get(self.at)
            if isinstance(given, Refused):
                self.fail(given.failure, given.text)
            else:
                step(given)
        self.flush()

    def result(self, text):
        """The next item's result, or its failure if that is none."""
        try:
            line = result_of(text, self.command.as_json)
            check_result(len(line))
        except (NotAResult, Limit) as fault:
            return self.fail(failed(fault))
        self.lines.append(line)
        self.size += len(line)
        self._advance()
        if self.size >= FLUSH_BYTES:
            self.flush()

    def fail(self, failure, text=None):
        self.flush()
        given = self.items.get(self.at) if text is None else text
        shown = failures.short(given[:1000].decode('utf-8', 'replace'), failures.ITEM_CHARS)
        told = {**failure, 'item': self.at, 'itemText': shown}
        if failure.get('code') == 'ITEM_LIMIT':
            told['message'] = 'item %d: %s' % (self.at, failure['message'])
        self.channel.send_json('F', told)
        self._advance()
        self.sent = self.at
        self.failed += 1
        if self.failed >= FAILURES_MAX:
            raise Full

    def refuse(self, fault):
        self.fail(failed(fault))

    def flush(self):
        self.flushed_at = monotonic()
        if self.lines:
            self.channel.send('O', U32.pack(self.at - self.sent), b'\n'.join(self.lines), b'\n')
            self.lines, self.size, self.sent = [], 0, self.at

    def give_back_unless(self, goes_on):
        """What is left of the part gets time of its own."""
        if not goes_on and self.at < self.to:
            self.flush()
            raise Full

    def tick(self):
        if self.lines and monotonic() - self.flushed_at >= FLUSH_S:
            self.flush()

    def _advance(self):
        self.at += 1
        self.items.done(self.at)
        self.state.view[0] = self.at

    def _one_item(self, item):
        out = Whole(item)
        try:
            source = None if self.command.program.has_placeholder else out.source
            run = self.command.start(source, out.hear, item, self.at)
            run.finish()
        except (BadItem, NotAResult, Limit) as fault:
            return self.fail(failed(fault))
        if run.exit != 0:
            self.fail(self.command.failure_of(run))
        else:
            self.result(out.text)
            self.tick()
        self.give_back_unless(self.command.ended(run))


def failed(why):
    by_limit = failures.by_limit(why.kind) if isinstance(why, Limit) else None
    return by_limit or {'code': 'COMMAND_FAILED', 'message': failures.scrub(str(why))}


def logger(number):
    """Errors are the job's log; of an item alone with its number."""
    if number is None:
        return lambda piece: write_all(piece)
    label = b'item %d: ' % number
    return lambda piece: write_all(b''.join(label + line for line in piece.splitlines(True)))


def write_all(piece):
    while piece:
        piece = piece[os.write(2, piece) :]
