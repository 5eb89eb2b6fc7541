"""A job that is a command: which program to start for a part or an item, with which words. No item ever becomes shell text."""
import json
import os
import re
import signal

from .encode import encode

SHELL = '/bin/sh'
FOLDER = '.das-program'
PLACEHOLDER = re.compile(r'\{(n|\.|/|//|/\.|)\}')
# The order in which they are given to a shell, as $1 and so on.
NAMES = ('', 'n', '.', '/', '//', '/.')
# The kernel's MAX_ARG_STRLEN, with its final NUL.
WORD_BYTES_MAX = 131_071
VARIABLE = re.compile(r'[A-Za-z_][A-Za-z0-9_]{0,99}\Z')
# What Python ignores or handles, and a program expects as the system has it.
DEFAULT_SIGNALS = [getattr(signal, name) for name in ('SIGPIPE', 'SIGXFSZ', 'SIGTERM', 'SIGINT', 'SIGHUP', 'SIGCHLD')]


class BadItem(ValueError):
    """This item cannot be given to the command."""


class Program:
    """`run`: `shell` (the text is for /bin/sh), `words` (a program and its arguments), `file` (the text is the program)."""

    def __init__(self, text, filename, command):
        self.run = command['run']
        self.words = command['words']
        self.text, in_text = with_parameters(text) if self.run == 'shell' else (text, False)
        self.has_placeholder = in_text or any(PLACEHOLDER.search(word) for word in self.words)
        self.per_item = command['perItem'] or self.has_placeholder
        self.path = keep(text, filename) if self.run == 'file' else None

    def argv(self, item=b'', number=0):
        """The words to start: a list of bytes or str. Raises BadItem."""
        values = values_of(item, number) if self.has_placeholder else {}
        words = [PLACEHOLDER.sub(lambda found: values[found[1]], word) for word in self.words]
        if self.run == 'shell':
            return [SHELL, '-c', self.text, 'das', *(values[name] for name in NAMES if values)]
        if self.run == 'words':
            return words
        # As a shell does with a file that does not say what runs it.
        first = [] if self.text.startswith('#!') else [SHELL]
        return [*first, self.path, *words]

    def start(self, argv, files, env):
        """Its process id, in a process group of its own. `files`: what its 0, 1 and 2 are. Raises OSError."""
        actions = [(os.POSIX_SPAWN_DUP2, handle, number) for number, handle in enumerate(files)]
        # The way to the executor is not for it.
        actions.append((os.POSIX_SPAWN_CLOSE, 3))
        options = {'file_actions': actions, 'setpgroup': 0, 'setsigmask': (), 'setsigdef': DEFAULT_SIGNALS}
        return os.posix_spawnp(argv[0], argv, env, **options)


def with_parameters(text):
    """Shell text with a parameter of the shell in the place of each placeholder; and whether there was one. Single quotes and comments stay as they are."""
    out, at, quoted, found = [], 0, False, False
    while at < len(text):
        char = text[at]
        end = at + 1
        placeholder = PLACEHOLDER.match(text, at)
        if char == '\\':
            end = at + 2
        elif char == "'" and not quoted:
            end = past(text, "'", at + 1)
        elif char == '#' and not quoted and (at == 0 or text[at - 1] in ' \t\n;&|('):
            end = past(text, '\n', at)
        elif char == '"':
            quoted = not quoted
        elif placeholder and (at == 0 or text[at - 1] != '$'):
            parameter = '${%d}' % (NAMES.index(placeholder[1]) + 1)
            out.append(parameter if quoted else '"%s"' % parameter)
            at, found = placeholder.end(), True
            continue
        out.append(text[at:end])
        at = end
    return ''.join(out), found


def past(text, what, start):
    at = text.find(what, start)
    return len(text) if at < 0 else at + 1


def values_of(item, number):
    """What each placeholder stands for. Raises BadItem for what no argument can hold."""
    if b'\0' in item:
        raise BadItem('the item has a NUL character, which no argument can hold; have the command read it from its input')
    if len(item) > WORD_BYTES_MAX:
        why = 'the item has %d bytes, an argument at most %d; without {} it comes on standard input'
        raise BadItem(why % (len(item), WORD_BYTES_MAX))
    text = item.decode()
    folder, _, name = text.rpartition('/')
    stem, dot, _ = name.rpartition('.')
    base = stem if dot and stem else name
    bare = text[: len(text) - len(name)] + base
    folder = folder or ('/' if text.startswith('/') else '.')
    return {'': text, 'n': str(number), '.': bare, '/': name, '//': folder, '/.': base}


def keep(text, filename):
    """The program as a file that can be started."""
    os.makedirs(FOLDER, mode=0o700, exist_ok=True)
    path = os.path.join(FOLDER, os.path.basename(filename) or 'program')
    with open(path, 'w', encoding='utf-8', newline='') as file:
        file.write(text)
    os.chmod(path, 0o700)
    # The account may not be able to reach its folder from the root.
    whole = os.path.join(os.getcwd(), path)
    return whole if os.access(whole, os.X_OK) else '/proc/self/cwd/' + path


def environment(head):
    """What the command finds of its job, beside the worker's own environment."""
    env = {**os.environ, 'DAS_JOB': head['job'], 'DAS_NODE': head['node']}
    for name, value in head['params'].items():
        text = value if isinstance(value, str) else encode(value)
        if VARIABLE.match(name) and '\0' not in text:
            env['DAS_PARAM_' + name] = text
    return env


def part_environment(head):
    traceparent = {'TRACEPARENT': head['traceparent']} if head.get('traceparent') else {}
    return {'DAS_PART': head['part'], 'DAS_ATTEMPT': str(head['attempt']), **traceparent}


def check(text, shell=SHELL):
    """What `sh -n` says of shell text: (line, words), or None. It runs nothing."""
    import subprocess

    asked = subprocess.run([shell, '-n', '-c', text], capture_output=True, text=True, errors='replace', timeout=10)
    if asked.returncode == 0:
        return None
    words = asked.stderr.strip().splitlines()
    last = words[0] if words else 'cannot be read'
    line = re.search(r'(?:line )?(\d+): ', last)
    return (int(line[1]) if line else 1), re.sub(r'^.*?: (?:line )?\d+: ', '', last)
