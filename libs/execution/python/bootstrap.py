# Run by `python3 -I -c`: takes the worker's modules over file descriptor 3, because the account that scripts run under
# may not be able to reach the folder that they are kept in.
import binascii, json, marshal, os, sys, types


def take(size):
    taken = b''
    while len(taken) < size:
        piece = os.read(3, size - len(taken))
        if not piece:
            os._exit(70)
        taken += piece
    return taken


head = json.loads(take(int.from_bytes(take(5)[:4], 'little')))
package = sys.modules['das_worker'] = types.ModuleType('das_worker')
package.__path__ = []
for name, code in head['modules']:
    module = types.ModuleType('das_worker.' + name)
    module.__package__ = 'das_worker'
    sys.modules[module.__name__] = module
    setattr(package, name, module)
    exec(marshal.loads(binascii.a2b_base64(code)), module.__dict__)
sys.argv = ['']
package.main.start(head)
