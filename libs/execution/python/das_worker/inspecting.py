"""Parses a script without running it: which of the known functions it defines, or where its syntax breaks."""
import ast
import os

FUNCTIONS = ('split', 'map', 'combine', 'reduce', 'gather', 'main', 'on_success', 'on_failure')
TEXT_CHARS = 300
# It may hold a name of the script, which may be as long as that.
MESSAGE_CHARS = 1_000


# What is parsed of a bundle beside its script; faults in the rest are found when it is imported.
FILES_MAX = 2_000
BYTES_MAX = 2 << 20


def inspect(head):
    if head['language'] == 'command':
        return inspect_command(head['text'], head['filename'])
    found = inspect_script(head['text'], head['filename'])
    folder = head.get('folder')
    if folder and 'fault' not in found:
        fault = fault_in(folder, head['filename'])
        if fault:
            return {'fault': fault}
    return found


def fault_in(folder, entry):
    """The first syntax fault of a bundle's other files, in the order of their paths."""
    left = BYTES_MAX
    for path in python_files(folder)[:FILES_MAX]:
        if path == entry:
            continue
        with open(os.path.join(folder, path), 'rb') as file:
            source = file.read(left + 1)
        left -= len(source)
        if left < 0:
            return None
        fault = parse_fault(source, path)
        if fault:
            return fault
    return None


def parse_fault(source, path):
    try:
        ast.parse(source, path)
    except SyntaxError as fault:
        return {**syntax_fault(fault, source.decode('utf-8', 'replace')), 'file': path}
    except (ValueError, RecursionError, MemoryError) as fault:
        message = 'nested too deeply' if not isinstance(fault, ValueError) else str(fault)
        return {'file': path, 'line': 1, 'column': 1, 'text': '', 'message': message}
    return None


def python_files(folder):
    found = []
    for below, folders, names in os.walk(folder):
        folders.sort()
        found += [os.path.relpath(os.path.join(below, name), folder) for name in names if name.endswith('.py')]
    return sorted(found)


def inspect_script(text, filename):
    try:
        tree = ast.parse(text, filename)
        # Some faults, like a `return` outside a function, are found by the compiler only. Nothing is run.
        compile(text, filename, 'exec', dont_inherit=True)
    except SyntaxError as fault:
        return {'fault': syntax_fault(fault, text)}
    except (ValueError, RecursionError, MemoryError) as fault:
        message = 'nested too deeply' if not isinstance(fault, ValueError) else str(fault)
        return {'fault': {'line': 1, 'column': 1, 'text': '', 'message': message}}
    names = set()
    collect(tree.body, names)
    return {'functions': {name: name in names for name in FUNCTIONS}}


def inspect_command(text, _):
    """Shell text, as `sh -n` reads it."""
    from .program import check

    fault = check(text)
    if fault is None:
        return {'functions': {name: name in ('map', 'main') for name in FUNCTIONS}}
    line, message = fault
    lines = text.splitlines()
    shown = lines[line - 1] if 0 < line <= len(lines) else ''
    return {'fault': {'line': line, 'column': 1, 'text': shown[:TEXT_CHARS], 'message': message[:MESSAGE_CHARS]}}


def syntax_fault(fault, text):
    line = max(1, fault.lineno or 1)
    lines = text.splitlines()
    shown = fault.text or (lines[line - 1] if line <= len(lines) else '')
    return {
        'line': line,
        'column': max(1, fault.offset or 1),
        'text': shown.rstrip('\n')[:TEXT_CHARS],
        'message': ('%s: %s' % (type(fault).__name__, fault.msg))[:MESSAGE_CHARS],
    }


def collect(statements, names):
    """Names bound at top level: by def, assignment or import, also inside if, try and with."""
    for node in statements:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            names.add(node.name)
        elif isinstance(node, ast.Assign):
            for target in node.targets:
                bound(target, names)
        elif isinstance(node, ast.AnnAssign) and node.value is not None:
            bound(node.target, names)
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            names.update((alias.asname or alias.name.split('.')[0]) for alias in node.names)
        elif not is_main_guard(node):
            for part in ('body', 'orelse', 'finalbody'):
                collect(getattr(node, part, None) or [], names)
            for handler in getattr(node, 'handlers', []):
                collect(handler.body, names)


def bound(target, names):
    if isinstance(target, ast.Name):
        names.add(target.id)
    elif isinstance(target, (ast.Tuple, ast.List)):
        for part in target.elts:
            bound(part, names)


def is_main_guard(node):
    """`if __name__ == "__main__":` does not run in a worker."""
    return (
        isinstance(node, ast.If)
        and isinstance(node.test, ast.Compare)
        and isinstance(node.test.left, ast.Name)
        and node.test.left.id == '__name__'
    )
