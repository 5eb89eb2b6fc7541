"""The user's script: loading it, and calling its functions as they want to be called."""
import inspect
import linecache
import os
import sys
import types

from . import failures
from .inspecting import FUNCTIONS

MODULE = 'das_job'
LAZY_ITERATORS = (types.GeneratorType, types.AsyncGeneratorType)


class Script:
    """A loaded script. `params` as given by the user; `das` is the module that scripts import."""

    def __init__(self, head, state):
        self.params = head['params']
        self.module = types.ModuleType(MODULE)
        self.module.__file__ = place(head, self.module)
        self.das = make_das(head, state)
        self._loop = None
        sys.modules[MODULE] = self.module
        sys.modules['das'] = self.das
        text = head['text']
        # With no modification time, linecache believes the lines instead of looking for the file.
        linecache.cache[head['filename']] = (len(text), None, text.splitlines(True), head['filename'])
        exec(compile(text, head['filename'], 'exec', dont_inherit=True), self.module.__dict__)
        self.functions = {name: getattr(self.module, name, None) for name in FUNCTIONS}

    def has(self, name):
        return callable(self.functions[name])

    def begin(self, head):
        """Tells the script which part it works for."""
        self.das.part = head['part']
        self.das.attempt = head['attempt']
        self.das.decision_id = head.get('decisionId')
        self.das.traceparent = head.get('traceparent')
        if self.das.traceparent:
            os.environ['TRACEPARENT'] = self.das.traceparent
        else:
            os.environ.pop('TRACEPARENT', None)

    def caller(self, name, given):
        """The function of that name as a callable of `given` arguments: `params` and awaiting added where it wants them."""
        function = self.functions[name]
        if not callable(function):
            raise TypeError('the script defines no callable %s' % name)
        extra = wants_params(function, given)
        if is_async(function):
            return self._awaiting(function, (self.params,) if extra else ())
        if not extra:
            return function
        params = self.params
        if given == 1:
            return lambda item: function(item, params)
        return lambda *arguments: function(*arguments, params)

    def _awaiting(self, function, extra):
        return lambda *arguments: self.wait(function(*arguments, *extra))

    def wait(self, awaitable):
        return self._own_loop().run_until_complete(awaitable)

    def _own_loop(self):
        """One loop for the worker's life, so that what a script opened in it stays open."""
        if self._loop is None:
            import asyncio

            self._loop = asyncio.new_event_loop()
            asyncio.set_event_loop(self._loop)
        return self._loop

    def each(self, iterable):
        """Iterates over anything that iterates, async generators too."""
        if not hasattr(iterable, '__aiter__'):
            yield from iterable
            return
        iterator = iterable.__aiter__()
        while True:
            try:
                yield self.wait(iterator.__anext__())
            except StopAsyncIteration:
                return

    def drain(self, generator):
        return list(self.each(generator))


def place(head, module):
    """Where the script lies. Of a bundle: its folders become importable, as if Python had been started with it."""
    folder = head.get('folder')
    if not folder:
        return head['filename']
    if not os.access(folder, os.R_OK | os.X_OK):
        raise UnreachableError(folder)
    path = os.path.join(folder, head['filename'])
    # Nobody may write there, and a worker that may nevertheless (no accounts) must not.
    sys.dont_write_bytecode = True
    failures.known_folder(folder)
    for wanted in (head.get('packages'), folder, os.path.dirname(path)):
        if wanted and wanted not in sys.path:
            sys.path.insert(0, wanted)
    package = os.path.dirname(head['filename']).replace('/', '.')
    if package and all(part.isidentifier() for part in package.split('.')):
        module.__package__ = package
    return path


class UnreachableError(Exception):
    """The account of scripts cannot enter the folder."""

    def __str__(self):
        return 'the account of scripts (%d) cannot enter %s' % (os.getuid(), self.args[0])


def is_async(function):
    return inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(getattr(function, '__call__', None))


def wants_params(function, given):
    """Whether it takes one more positional argument than `given`: one without a default, or one that is named `params`."""
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):
        return False
    places = [p for p in signature.parameters.values() if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    if len(places) <= given:
        return False
    following = places[given]
    return following.default is inspect.Parameter.empty or following.name == 'params'


def make_das(head, state):
    das = types.ModuleType('das', 'What a script may know of the job it runs for.')
    das.params = head['params']
    das.node = head['node']
    das.job = head['job']
    das.part = None
    das.attempt = None
    das.decision_id = None
    das.traceparent = None
    das.cancelled = lambda: state.cancelled

    def progress(share=None):
        """Says that work goes on, so that the attempt is not taken for stuck."""
        if share is not None:
            float(share)
        state.advance()

    das.progress = progress
    state.locks.teach(das)
    return das


def load(head, state):
    """The script, or the failure of importing it."""
    try:
        if head.get('command'):
            from .command import Command

            return Command(head, state), None
        return Script(head, state), None
    except BaseException as thrown:
        failure = failures.describe(thrown)
        failure['message'] = 'the script cannot be imported: ' + failure['message']
        if isinstance(thrown, UnreachableError):
            failure['hint'] = 'set DAS_CODE_CACHE to a folder that every account of this node can enter'
        elif isinstance(thrown, ImportError):
            failure['hint'] = import_hint(head)
        return None, failure


def import_hint(head):
    """Why a module that is there on one machine may be missing here."""
    version = '%d.%d.%d' % sys.version_info[:3]
    travels = (
        'only the files of the bundle travel: look into .dasignore for your own modules'
        if head.get('folder')
        else 'only this one file travels: give your own modules by --include, or run the whole folder'
    )
    return (
        'this ran on %s (Python %s); %s; install packages for that interpreter on every node, or choose another by --venv or '
        'DAS_PYTHON' % (sys.executable, version, travels)
    )
