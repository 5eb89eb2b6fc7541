# Run by `python3 -I -c` after install.py: takes the worker's modules over file descriptor 3.
import json, os


def take(size):
    taken = b''
    while len(taken) < size:
        piece = os.read(3, size - len(taken))
        if not piece:
            os._exit(70)
        taken += piece
    return taken


head = json.loads(take(int.from_bytes(take(5)[:4], 'little')))
if head.get('texts'):
    # Of an interpreter that none of ours compiles for. What became it may not be the executor's own child.
    package = install(head['modules'], from_text)
    head['parent'] = os.getppid()
    if head.get('within', {}).get('users') and package.limits.namespaces_are_counted():
        head['ownAccount'] = True
else:
    package = install(head['modules'], compiled)
sys.argv = ['']
package.main.start(head)
