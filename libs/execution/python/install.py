# In front of every program that has the worker's modules: they come as text, because the account that scripts run under may not be able to reach
# the folder that they are kept in.
import sys, types


def install(modules, code_of):
    """Makes the package `das_worker` of pairs of a name and what `code_of` makes code of, in the order in which they import each other."""
    package = sys.modules['das_worker'] = types.ModuleType('das_worker')
    package.__path__ = []
    for name, text in modules:
        module = types.ModuleType('das_worker.' + name)
        module.__package__ = 'das_worker'
        sys.modules[module.__name__] = module
        setattr(package, name, module)
        exec(code_of(name, text), module.__dict__)
    return package


def from_text(name, text):
    return compile(text, '<das>/' + name + '.py', 'exec')


def compiled(name, text):
    import binascii, marshal

    return marshal.loads(binascii.a2b_base64(text))


