"""What is told about a failure: the message, and the script's own part of the traceback."""
import errno
import linecache
import traceback

MESSAGE_CHARS = 2_000
TRACEBACK_CHARS = 7_800
ITEM_CHARS = 200
# Every module of the worker is compiled under a name like this one.
OURS = '<das>/'
CAUSES_MAX = 8
NO_NETWORK = (errno.EAFNOSUPPORT, errno.ENETUNREACH)
# Told by what made this worker; without a sandbox everything is allowed.
network_allowed = True


# What is said when a limit of the job strikes, by its kind; learnt with the job.
words = {}


class Limit(Exception):
    """A limit of the job was reached."""

    def __init__(self, kind, detail):
        super().__init__(detail)
        self.kind = kind


def learn(told):
    words.clear()
    words.update(told)


def limit_of(thrown):
    """The kind of limit that is behind it, if one is."""
    if isinstance(thrown, Limit):
        return thrown.kind
    if isinstance(thrown, MemoryError):
        return 'memory'
    if isinstance(thrown, RuntimeError) and "can't start new thread" in str(thrown):
        return 'processes'
    if not isinstance(thrown, OSError):
        return None
    if thrown.errno == errno.EAGAIN and starts_a_process(thrown):
        return 'processes'
    return {errno.ENOMEM: 'memory', errno.EFBIG: 'file', errno.ENOSPC: 'scratch', errno.EDQUOT: 'scratch'}.get(thrown.errno)


def starts_a_process(thrown):
    """The same error number says of a socket that it has nothing to read yet."""
    frame = thrown.__traceback__
    while frame is not None and frame.tb_next is not None:
        frame = frame.tb_next
    if frame is None:
        return False
    code = frame.tb_frame.f_code
    line = linecache.getline(code.co_filename, frame.tb_lineno)
    return code.co_name in ('_execute_child', '_fork_exec', '_launch') or 'fork' in line or 'spawn' in line


def by_limit(kind, detail=None):
    """A failure in the words of the limit. None before the job is known."""
    told = words.get(kind)
    if told is None:
        return None
    message = told['message'] if detail is None else '%s: %s' % (told['message'], detail)
    return {'code': 'ITEM_LIMIT', 'message': scrub(message), 'hint': told['hint']}


def frames_of(thrown):
    """The traceback from the script's first frame on."""
    frame = thrown.__traceback__
    while frame is not None and frame.tb_frame.f_code.co_filename.startswith(OURS):
        frame = frame.tb_next
    return frame


def message_of(thrown):
    if isinstance(thrown, SystemExit):
        return 'called sys.exit(%s)' % ('' if thrown.code is None else short(repr_of(thrown.code), 100))
    if isinstance(thrown, KeyboardInterrupt):
        return 'KeyboardInterrupt: raised by the script'
    name = type(thrown).__name__
    try:
        text = str(thrown)
    except BaseException:
        text = '(its message cannot be read)'
    return short('%s: %s' % (name, text) if text else name, MESSAGE_CHARS)


def repr_of(value):
    try:
        return repr(value)
    except BaseException:
        return '(%s)' % type(value).__name__


def traceback_of(thrown):
    frame = frames_of(thrown)
    if frame is None:
        return None
    try:
        text = ''.join(traceback.format_exception(type(thrown), thrown, frame))
    except BaseException:
        return None
    # The end says what went wrong.
    return text if len(text) <= TRACEBACK_CHARS else '... ' + text[-TRACEBACK_CHARS:]


def hint_of(thrown):
    if wanted_network(thrown):
        return 'scripts have no network here unless the job asks for it: das run --network'
    if isinstance(thrown, MemoryError):
        return 'the memory limit of the worker was reached; use less'
    if isinstance(thrown, RecursionError):
        return 'nested too deeply'
    return None


def wanted_network(thrown):
    """Whether it, or what it came of, is how the lack of a network shows: no such sockets, no way, no names."""
    for _ in range(CAUSES_MAX):
        if not isinstance(thrown, BaseException):
            return False
        if isinstance(thrown, OSError) and (type(thrown).__name__ == 'gaierror' or thrown.errno in NO_NETWORK):
            return not network_allowed
        # urllib keeps it apart, and requests as an argument.
        inner = getattr(thrown, 'reason', None) or next((part for part in thrown.args if isinstance(part, BaseException)), None)
        thrown = inner if isinstance(inner, BaseException) else thrown.__cause__ or thrown.__context__
    return False


def describe(thrown, message=None, with_traceback=True):
    limit = by_limit(limit_of(thrown), None if isinstance(thrown, Limit) else message_of(thrown))
    failure = limit or {'message': scrub(message or message_of(thrown))}
    trace = traceback_of(thrown) if with_traceback else None
    if trace:
        failure['traceback'] = scrub(trace)
    hint = None if limit else hint_of(thrown)
    if hint:
        failure['hint'] = hint
    return failure


def short(text, chars):
    return text if len(text) <= chars else text[:chars] + '...'


_folder = None


def known_folder(folder):
    """Files of the bundle are told by their names in it."""
    global _folder
    _folder = folder + '/'


def scrub(text):
    """Lone surrogates have no UTF-8."""
    if _folder:
        text = text.replace(_folder, '')
    return text.encode('utf-8', 'backslashreplace').decode()
