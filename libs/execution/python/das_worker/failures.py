"""What is told about a failure: the message, and the script's own part of the traceback."""
import errno
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
        return 'the memory limit of a worker was reached; use less, or raise DAS_WORKER_MEMORY_MB'
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
    failure = {'message': scrub(message or message_of(thrown))}
    trace = traceback_of(thrown) if with_traceback else None
    if trace:
        failure['traceback'] = scrub(trace)
    hint = hint_of(thrown)
    if hint:
        failure['hint'] = hint
    return failure


def short(text, chars):
    return text if len(text) <= chars else text[:chars] + '...'


def scrub(text):
    """Lone surrogates have no UTF-8."""
    return text.encode('utf-8', 'backslashreplace').decode()
