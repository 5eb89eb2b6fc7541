# Run by `python3 -I -S -c` after a line `texts = {name: text}`: shuts itself in, then becomes another program, which cannot get out.
# Argument 1, JSON: {"shutIn": as das_worker/shut_in.py takes it, "limits": {…}, "exec": [file, …]}
import json, os, signal, sys, types

package = sys.modules['das_worker'] = types.ModuleType('das_worker')
package.__path__ = []
for name, text in texts.items():
    module = types.ModuleType('das_worker.' + name)
    module.__package__ = 'das_worker'
    sys.modules[module.__name__] = module
    setattr(package, name, module)
    exec(compile(text, '<das>/' + name + '.py', 'exec'), module.__dict__)
words = json.loads(sys.argv[1])
package.limits.confine(words['limits'])
package.shut_in.shut_in(words['shutIn'])
# Python ignores these; other programs expect to end by them.
for ignored in (signal.SIGPIPE, signal.SIGXFSZ):
    signal.signal(ignored, signal.SIG_DFL)
os.execve(words['exec'][0], words['exec'], os.environ)
