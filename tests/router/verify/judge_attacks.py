"""Programs and tests that try to make the judge say what is not so, or to hold it up.

FORGERIES are programs: none may pass `assert f(2) == 4` and `assert f(3) == 9`. ASSAULTS are
tests: whatever they do, a verdict comes back in time. `channel`, `tell`, `raw` and `nonce`
are what hostile code finds in its own process. Not a test file itself.
"""
# ruff: noqa: E501  programs are not to be wrapped

FOUND = """
import gc, json, os, sys
channel = next(o for o in gc.get_objects() if type(o).__name__ == "Channel")
nonce = channel.job["nonce"].encode()
tell = channel.send
def raw(data):
    while data: data = data[os.write(channel._to, data):]
"""
FOUR = '{"call": %d, "value": ["int", "0x4"]}'

FORGERIES: dict[str, str] = {
    "answers twice": "def f(n):\n    tell({'call': n, 'value': ['int', hex(n * n)]})\n    return n * n",
    "answers everything ahead": "for i in range(9): tell({'call': i, 'value': ['int', '0x4']})\ndef f(n): return 0",
    "answers the next call too": "def f(n):\n    tell({'call': n, 'value': ['int', '0x4']})\n"
    "    tell({'call': n + 1, 'value': ['int', '0x9']})\n    os._exit(0)",
    "says passed": "tell({'end': 'passed', 'told': 'PASS'})\ndef f(n): tell({'end': 'passed'})",
    "says ready": "tell({'ready': True})\ndef f(n): return 4",
    "says that it asks": "def f(n): tell({'ask': {'name': 'f', 'arguments': None}})",
    "says that it loads": "tell({'loaded': True})\ndef f(n): return n * n",
    "answers the names itself": "tell({'call': 1, 'names': {'f': ['value', ['int', '0x4']]}})\n"
    "channel.receive()\ndef f(n): return 4",
    "claims builtins": "tell({'call': 1, 'names': {n: ['function', None] for n in dir(__builtins__) + ['f']}})\n"
    "while True:\n    c = channel.receive()\n    tell({'call': c['call'], 'value': ['plain', True]})",
    "claims the judge's names": "tell({'call': 1, 'names': {n: ['value', ['plain', 1]] for n in ('__builtins__', "
    "'__name__', 'AssertionError', 'f', 'Program')}})\nos._exit(0)",
    "names that are none": "tell({'call': 1, 'names': 7})\nos._exit(0)",
    "a number that equals": "def f(n):\n    raw(b'\\n' + nonce + b'{\"call\": 2.0, \"value\": [\"int\", \"0x4\"]}\\n')\n"
    "    os._exit(0)",
    "true as number": "raw(b'\\n' + nonce + b'{\"call\": true, \"names\": {\"f\": [\"function\", null]}}\\n')\nos._exit(0)",
    "replays": "import builtins\ndef f(n):\n    if n == 2: return 4\n    tell({'call': 2, 'value': ['int', '0x4']})\n    return 9",
    "a huge line": "def f(n): raw(nonce + b'x' * 10**8 + b'\\n')",
    "a line without end": "def f(n):\n    while True: raw(b'x' * 65536)",
    "a line in drops": "import time\ndef f(n):\n    raw(b'\\n' + nonce)\n    while True:\n        raw(b'x')\n        time.sleep(0.01)",
    "many empty lines": "def f(n):\n    while True: raw(b'\\n' * 65536)",
    "deep nesting": "def f(n): raw(b'\\n' + nonce + b'{\"call\": 2, \"value\": ' + b'[' * 10**6 + b'\\n')",
    "closed deep nesting": "def f(n):\n    d = 900\n    raw(b'\\n' + nonce + b'{\"call\": 2, \"value\": ' + b'[\"list\", [' * d + b']]' * d + b'}\\n')\n    os._exit(0)",
    "deep names": "raw(b'\\n' + nonce + b'{\"call\": 1, \"names\": ' + b'[' * 900 + b']' * 900 + b'}\\n')\nos._exit(0)",
    "deep error": "raw(b'\\n' + nonce + b'{\"loaded\": false, \"error\": ' + b'[' * 900 + b']' * 900 + b'}\\n')\nos._exit(0)",
    "binary garbage": "def f(n): raw(b'\\n' + nonce + bytes(range(256)) * 99 + b'\\n')",
    "no json": "def f(n): raw(b'\\n' + nonce + b'{\"call\": 2, \\n')",
    "a huge number": "def f(n): raw(b'\\n' + nonce + b'{\"call\": ' + b'9' * 10**6 + b'}\\n')",
    "nan as number": "def f(n): raw(b'\\n' + nonce + b'{\"call\": NaN}\\n')",
    "closes its files": "def f(n):\n    os.closerange(0, 64)\n    return 4",
    "forks and answers from both": "def f(n):\n    os.fork()\n    return n * n",
    "forks to outlive itself": "import time\ndef f(n):\n    if os.fork(): os._exit(0)\n    time.sleep(99)",
    "a thread answers": "import threading\ndef f(n):\n    t = threading.Thread(target=lambda: tell({'call': n, 'value': ['int', hex(n * n)]}))\n"
    "    t.start(); t.join()\n    return n * n",
    "a thread leaves": "import threading\ndef f(n):\n    t = threading.Thread(target=os._exit, args=(0,))\n    t.start(); t.join()",
    "leaves at exit": "import atexit\natexit.register(lambda: tell({'call': 2, 'value': ['int', '0x4']}))\ndef f(n): sys.exit(0)",
    "leaves politely": "def f(n): raise SystemExit(0)",
    "interrupts": "def f(n): raise KeyboardInterrupt",
    "kills itself": "def f(n): os.kill(0, 9)",
    "stops itself": "import signal\ndef f(n): os.kill(os.getpid(), signal.SIGSTOP)",
    "ends a loop": "def f(n): raise StopIteration",
    "ends a generator": "def f(n): raise GeneratorExit",
    "an error that cannot be shown": "class E(Exception):\n    def __str__(self): raise self\n    __repr__ = __str__\ndef f(n): raise E(E())",
    "an error that lies about its class": "class E(Exception):\n    __class__ = int\n    args = property(lambda s: [4])\ndef f(n): raise E",
    "an error that is a value": "class E(AssertionError, int) if False else 0\ndef f(n): raise E",
    "an error of a strange type": "def f(n): tell({'call': n, 'error': 'x', 'raised': ['eval', True, ['tuple', []]]}); os._exit(0)",
    "an error of no type": "def f(n): tell({'call': n, 'error': 'x', 'raised': ['__import__', True, ['tuple', [['plain', 'os']]]]}); os._exit(0)",
    "an error that is a list": "def f(n): tell({'call': n, 'error': ['x'], 'raised': [['x'], 1, 2]}); os._exit(0)",
    "an error that skips": "import unittest\ndef f(n): raise unittest.SkipTest('x')",
    "a group of errors": "def f(n): raise BaseExceptionGroup('x', [SystemExit(0)])",
    "warns": "def f(n): raise DeprecationWarning('x')",
    "no argument of that number": "def f(n): tell({'call': n, 'value': ['plain', None], 'argument': [99]}); os._exit(0)",
    "arguments of another shape": "def f(n): tell({'call': n, 'value': ['int', '0x4'], 'after': ['list', []]}); os._exit(0)",
    "an argument that is a name": "def f(n): tell({'call': n, 'value': ['int', '0x4'], 'argument': 'n'}); os._exit(0)",
    "no value": "def f(n): tell({'call': n}); os._exit(0)",
    "a type of its own": "def f(n): tell({'call': n, 'value': ['eval', '4']}); os._exit(0)",
    "a list as a key": "def f(n): tell({'call': n, 'value': ['dict', [[['list', []], ['int', '0x1']]]]}); os._exit(0)",
    "numbers that collide": "M = (1 << 61) - 1\ndef f(n): return {i * M for i in range(30_000)}",
    "patches the encoder": "sys.modules['router.verify.wire'].encode = lambda *a: ['plain', True]\n"
    "sys.modules['__main__'].encode = lambda *a: ['int', '0x4']\ndef f(n): return 0",
    "patches the channel": "type(channel).send = lambda self, record: raw(b'\\n' + nonce + b'{\"end\": \"passed\"}\\n')\ndef f(n): return 0",
    "patches json": "json.dumps = lambda o: '{\"end\": \"passed\", \"told\": \"\"}'\ndef f(n): return 0",
    "patches the comparison": "import builtins, operator\noperator.eq = lambda a, b: True\nbuiltins.AssertionError = ValueError\ndef f(n): return 0",
    "lies about its class": "class A:\n    __class__ = int\n    def __eq__(self, o): return True\n    def __hash__(self): return 4\ndef f(n): return A()",
    "a lying class of classes": "class M(type):\n    __name__ = 'int'\n    def mro(cls): return [cls, int, object]\n"
    "class A(int, metaclass=M):\n    def __eq__(self, o): return True\ndef f(n): return A(7)",
    "a number with its own arguments": "class A(int):\n    def __getnewargs__(self): return (4,)\n    def __eq__(self, o): return True\ndef f(n): return A(7)",
    "a list of many": "def f(n): return [[0] * 1000] * 1000",
    "prints PASS": "print('PASS'); print('OK', file=sys.stderr)\ndef f(n): print('passed'); return None",
    "looks for the tests": "def f(n):\n    for o in gc.get_objects():\n        if isinstance(o, str) and 'assert f(3)' in o: return 4\n"
    "    for p in os.listdir('/proc'):\n        if p.isdigit() and b'assert f(3)' in open('/proc/' + p + '/cmdline', 'rb').read(): return 4\n    return 0",
}  # fmt: skip

ASSAULTS: dict[str, str] = {
    "says passed without end": "for _ in range(10**6): tell({'end': 'passed', 'told': 'x'})",
    "a verdict of a strange type": "tell({'end': ['passed'], 'told': {'a': 1}})\nos._exit(0)",
    "a verdict with a long text": "tell({'end': 'failed', 'told': 'x' * 10**6})\nos._exit(0)",
    "a verdict with a deep text": "raw(b'\\n' + nonce + b'{\"end\": \"failed\", \"told\": ' + b'[' * 900 + b']' * 900 + b'}\\n')\nos._exit(0)",
    "code for the program's process": "tell({'ask': {'setup': '', 'source': 'forged.append(1)'}})\nchannel.receive()\nf(2)",
    "code beside a call": "tell({'ask': {'name': 'f', 'arguments': ['list', [['tuple', [['int', '0x2']]], ['dict', []]]], 'setup': 'forged.append(1)', 'source': '1'}})\n"
    "channel.receive()\nf(2)",
    "a name that is none": "tell({'ask': {'name': '__builtins__', 'arguments': None}})\nchannel.receive()\nf(2)",
    "a name that is a list": "tell({'ask': {'name': [], 'arguments': None}})",
    "names that are none": "tell({'ask': {'names': 5}})\nchannel.receive()\nf(2)",
    "a call that is none": "tell({'ask': 5})",
    "an empty record": "tell({})",
    "a deep call": "raw(b'\\n' + nonce + b'{\"ask\": {\"name\": \"f\", \"arguments\": ' + b'[' * 900 + b']' * 900 + b'}}\\n')\nchannel.receive()",
    "a deeper call": "raw(b'\\n' + nonce + b'{\"ask\": {\"name\": \"f\", \"arguments\": ' + b'[' * 10**6 + b'\\n')\nchannel.receive()",
    "a huge call": "f('x' * 10**7)",
    "a huge line": "raw(nonce + b'x' * 10**8)",
    "a line without end": "while True: raw(b'x' * 65536)",
    "many empty lines": "while True: raw(b'\\n' * 65536)",
    "asks and never listens": "while True: tell({'ask': {'name': 'f', 'arguments': ['list', [['tuple', [['plain', 'x' * 9999]]], ['dict', []]]]}})",
    "asks without end": "while True: f(2)",
    "binary garbage": "raw(b'\\n' + nonce + bytes(range(256)) + b'\\n')\nf(2)",
    "closes its files": "os.closerange(0, 64)\nf(2)",
    "forks and asks from both": "os.fork()\nfor _ in range(50): f(2)",
    "forks without end": "while True:\n    try: os.fork()\n    except OSError: pass",
    "fills the memory": "x = [0]\nwhile True: x = x + x",
    "fills the disk": "n = 0\nwhile True:\n    n += 1\n    try: open(f'/tmp/{n}', 'wb').write(b'x' * 10**6)\n    except OSError: pass",
    "kills": "os.kill(-1, 9)\nos.kill(os.getppid(), 9)",
    "stops itself": "import signal\nos.kill(os.getpid(), signal.SIGSTOP)",
    "sleeps": "import time\ntime.sleep(99)",
    "leaves": "os._exit(0)",
    "huge integer": "f(9**9**9)",
    "an argument that is itself": "a = []\na.append(a)\nf(a)",
    "an argument that counts its copies": "class L(list):\n    def __iter__(self):\n        while True: yield 1\nf(L([1]))",
    "calls itself": "def g(): g()\ng()",
    "a tree too deep to parse": "-" * 100_000 + "1",
}  # fmt: skip
