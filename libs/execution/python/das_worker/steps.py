"""The steps of a job that are not maps: reduce, gather (or the built-in merge of sorted buckets), main, and the two hooks."""
from . import failures
from .encode import check_result, decode_lines, encode, to_bytes
from .lease import Lease
from .keys import canonical, normal, order
from .mapping import FLUSH_BYTES, describe
from .spool import Results, Spool, merged


class Lines:
    """Sends lines as `W` frames, many at a time."""

    def __init__(self, channel):
        self._channel = channel
        self._waiting = []
        self._size = 0

    def value(self, value):
        self.raw(to_bytes(encode(value)))

    def raw(self, line):
        check_result(len(line))
        if self._size and self._size + len(line) > FLUSH_BYTES:
            self.flush()
        self._waiting.append(line)
        self._size += len(line)

    def flush(self):
        if self._waiting:
            self._channel.send('W', b'\n'.join(self._waiting), b'\n')
            self._waiting = []
            self._size = 0


def receive(channel, take):
    """Hands each `D` frame (source, raw) to `take` until `E`."""
    while True:
        kind, payload = channel.read()
        if kind == 'E':
            return
        take(int.from_bytes(payload[:4], 'little'), payload[4:])


def reduce_bucket(channel, script, state):
    """Groups a bucket's pairs by key, values in item order, and reduces the keys in their order."""
    groups = grouped(channel, state)
    call = script.caller('reduce', 2)
    lines = Lines(channel)
    for key, values in sorted(groups.values(), key=lambda group: order(group[0])):
        state.advance()
        value = call(key, values)
        if hasattr(value, '__next__') or hasattr(value, '__anext__'):
            value = script.drain(value)
        lines.value({'key': key, 'value': value})
    lines.flush()
    return len(groups)


def grouped(channel, state):
    groups = {}
    rest = []

    def take(_, raw):
        state.advance()
        cut = raw.rfind(b'\n') + 1
        if cut == 0:
            rest.append(raw)
            return
        block = b''.join(rest) + raw[:cut]
        rest[:] = [raw[cut:]]
        for key, value in decode_lines(block):
            name = key if type(key) is str else (canonical(key),)
            known = groups.get(name)
            if known is None:
                groups[name] = (key, [value])
            else:
                known[1].append(value)

    receive(channel, take)
    return groups


def gather(channel, script, head):
    spool = Spool()
    try:
        receive(channel, spool.add)
        lines = Lines(channel)
        if head['merge']:
            for _, line, _ in merged(spool):
                lines.raw(line)
            count = spool.lines
        else:
            results = Results(spool, head['keyed'])
            count = write_result(script, lines, script.caller('gather', 1)(results))
        lines.flush()
        return count
    finally:
        spool.close()


def hook(channel, script, state, head):
    """Tells the script how its job was decided. What it gives is nobody's; a generator runs to its end all the same."""
    lease = Lease(state, head['leaseMs'] / 1000)
    try:
        return run_hook(channel, script, head)
    finally:
        lease.end()


def run_hook(channel, script, head):
    if 'error' in head:
        exhaust(script, script.caller('on_failure', 1)(head['error']))
        return 0
    spool = Spool()
    try:
        receive(channel, spool.add)
        exhaust(script, script.caller('on_success', 1)(Results(spool, False)))
        return spool.lines
    finally:
        spool.close()


def exhaust(script, value):
    if hasattr(value, '__next__') or hasattr(value, '__anext__'):
        for _ in script.each(value):
            pass


def hook_name(head):
    return 'on_failure' if 'error' in head else 'on_success'


def main_step(channel, script):
    function = script.functions['main']
    lines = Lines(channel)
    count = write_result(script, lines, call_with_params(script, 'main', function))
    lines.flush()
    return count


def call_with_params(script, name, function):
    """`main` and `split` may be defined with or without `params`."""
    from .script import is_async, wants_params

    if not callable(function):
        raise TypeError('the script defines no callable %s' % name)
    value = function(script.params) if wants_params(function, 0) else function()
    return script.wait(value) if is_async(function) and hasattr(value, '__await__') else value


def write_result(script, lines, value):
    """A list, a generator or any iterator gives one line per element; anything else is one line."""
    if not isinstance(value, (list, tuple, Results)) and not hasattr(value, '__next__') and not hasattr(value, '__anext__'):
        lines.value(value)
        return 1
    count = 0
    for element in script.each(value):
        lines.value(element)
        count += 1
    return count


def step_failure(name, thrown):
    failure = describe(thrown)
    failure['message'] = failures.short('%s failed: %s' % (name, failure['message']), failures.MESSAGE_CHARS)
    return failure
