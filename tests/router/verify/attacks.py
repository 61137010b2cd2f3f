"""Programs that try to get out, to take everything, or to pass without being right.

Each of ESCAPES prints "escaped" if it succeeds. SECRET_FILE, PORT, HOST_PID and SECRET stand for things
of the host that the test puts there. Each of CHEATS is an answer to "f(2) == 4 and
f(3) == 9" that must not pass. Not a test file itself.
"""
# ruff: noqa: E501  programs are not to be wrapped

ESCAPES: dict[str, str] = {
    "tcp": "import socket\nsocket.create_connection(('1.1.1.1', 80), 1)\nprint('escaped')",
    "loopback to the host": "import socket\nsocket.create_connection(('127.0.0.1', PORT), 1)\n"
    "print('escaped')",
    "udp": "import socket\ns = socket.socket(2, 2)\ns.sendto(b'x', ('8.8.8.8', 53))\nprint('escaped')",
    "dns": "import socket\nsocket.getaddrinfo('example.org', 80)\nprint('escaped')",
    "raw socket": "import socket\nsocket.socket(17, 3)\nprint('escaped')",
    "abstract unix socket": "import socket\ns = socket.socket(1)\ns.connect('\\0ockham-test')\n"
    "print('escaped')",
    "passwd": "open('/etc/passwd')\nprint('escaped')",
    "shadow": "open('/etc/shadow')\nprint('escaped')",
    "root's home": "import os\nos.listdir('/root')\nprint('escaped')",
    "homes": "import os\nos.listdir('/home')\nprint('escaped')",
    "file of the host": "print('escaped', open('SECRET_FILE').read())",
    "symlink": "import os\nos.symlink('/etc/passwd', '/tmp/l')\nprint('escaped', open('/tmp/l').read())",
    "dots": "print('escaped', open('/tmp/../../../../etc/passwd').read())",
    "root of a process": "print('escaped', open('/proc/1/root/etc/passwd').read())",
    "own root": "print('escaped', open('/proc/self/root/etc/passwd').read())",
    "working directory of init": "print('escaped', open('/proc/1/cwd/etc/passwd').read())",
    "environment": "import os\nprint('escaped' if 'SECRET' in str(os.environ) else 'clean')",
    "environment of init": "d = open('/proc/1/environ').read()\n"
    "print('escaped' if 'SECRET' in d else 'clean')",
    "processes of the host": "import os\nps = [p for p in os.listdir('/proc') if p.isdigit()]\n"
    "print('escaped' if len(ps) > 4 else 'clean')",
    "write to /usr": "open('/usr/lib/x', 'w')\nprint('escaped')",
    "write to the root": "open('/x', 'w')\nprint('escaped')",
    "write to shared memory": "open('/dev/shm/x', 'w')\nprint('escaped')",
    "overwrite the program": "open('/box/main.py', 'w')\nprint('escaped')",
    "kernel setting": "open('/proc/sys/kernel/hostname', 'w').write('x')\nprint('escaped')",
    "sysrq": "open('/proc/sysrq-trigger', 'w').write('h')\nprint('escaped')",
    "disk": "import os\nos.mknod('/tmp/sda', 0o60600, 2048)\nprint('escaped')",
    "memory of the machine": "open('/dev/mem', 'rb')\nprint('escaped')",
    "memory of init": "open('/proc/1/mem', 'r+b').read(1)\nprint('escaped')",
    "become root": "import os\nos.setuid(0)\nprint('escaped')",
    "chroot": "import os\nos.chroot('/tmp')\nprint('escaped')",
    "mount": "import ctypes\nc = ctypes.CDLL(None)\n"
    "print('escaped' if c.mount(b'x', b'/tmp', b'tmpfs', 0, None) == 0 else 'clean')",
    "unmount": "import ctypes\nc = ctypes.CDLL(None)\n"
    "print('escaped' if c.umount2(b'/proc', 2) == 0 else 'clean')",
    "namespaces of init": "import ctypes, os\nc = ctypes.CDLL(None)\nf = os.open('/proc/1/ns/mnt', 0)\n"
    "print('escaped' if c.setns(f, 0) == 0 else 'clean')",
    "a user namespace of its own": "import ctypes\nc = ctypes.CDLL(None)\n"
    "print('escaped' if c.unshare(0x10000000) == 0 else 'clean')",
    "trace the host": "import ctypes\nc = ctypes.CDLL(None)\n"
    "print('escaped' if c.ptrace(16, HOST_PID, None, None) == 0 else 'clean')",
    "open files": "import os\nn = [f for f in os.listdir('/proc/self/fd') if int(f) > 3]\n"
    "print('escaped' if n else 'clean')",
    "terminal": "open('/dev/tty', 'w')\nprint('escaped')",
    "raise a limit": "import resource as r\nr.setrlimit(r.RLIMIT_NPROC, (9999, 9999))\nprint('escaped')",
    "set-user-id program": "import subprocess\np = subprocess.run(['/usr/bin/su', '-c', 'id'], "
    "capture_output=True, text=True, stdin=subprocess.DEVNULL)\n"
    "print('escaped' if 'uid=0' in p.stdout else 'clean')",
    "kill everything": "import os\nos.kill(-1, 9)",
    "kill the parent": "import os\nos.kill(os.getppid(), 9)\nos.kill(1, 9)",
    "kill the group": "import os\nos.killpg(0, 9)",
}

HUNGERS: dict[str, str] = {
    "stop init by tracing it": "import ctypes\nctypes.CDLL(None).ptrace(16, 1, None, None)\n"
    "while True: pass",
    "endless loop": "while True: pass",
    "endless sleep": "import time\ntime.sleep(999)",
    "deaf to signals": "import signal\nfor s in range(1, 32):\n    try: signal.signal(s, signal.SIG_IGN)\n"
    "    except (OSError, ValueError): pass\nwhile True: pass",
    "fork bomb": "import os\nwhile True:\n    try: os.fork()\n    except OSError: pass",
    "thread bomb": "import threading, time\nwhile True:\n"
    "    try: threading.Thread(target=time.sleep, args=(99,)).start()\n    except RuntimeError: pass",
    "memory bomb": "x = [0]\nwhile True: x = x + x",
    "memory of many": "import os, time\nfor _ in range(20):\n    if os.fork() == 0:\n"
    "        x = bytearray(60_000_000)\n        time.sleep(99)\ntime.sleep(99)",
    "disk fill": "n = 0\nwhile True:\n    n += 1\n"
    "    try: open(f'/tmp/{n}', 'wb').write(b'x' * 10**6)\n    except OSError: pass",
    "large file": "f = open('/tmp/x', 'wb')\nwhile True: f.write(b'x' * 10**6)",
    "stdout flood": "while True: print('x' * 10000)",
    "stderr flood": "import sys\nwhile True: sys.stderr.write('x' * 10000)",
    "zombies": "import os\nfor _ in range(500):\n    try:\n        if os.fork() == 0: os._exit(0)\n"
    "    except OSError: pass\nwhile True: pass",
    "daemon": "import os, time\nif os.fork() == 0:\n    os.setsid()\n"
    "    if os.fork() == 0:\n        time.sleep(99)\n    os._exit(0)",
    "closed files": "import os\nos.closerange(0, 64)\nwhile True: pass",
    "huge integer": "9**9**9",
    "hopeless pattern": "import re\nre.match('(a+)+$', 'a' * 40 + 'b')",
    "deep recursion": "import sys\nsys.setrecursionlimit(10**9)\ndef g(): g()\ng()",
}

CHEATS: dict[str, str] = {
    "always equal": "class A:\n    def __eq__(self, o): return True\n    def __hash__(self): return 4\n"
    "def f(n): return A()",
    "a number that is always equal": "class A(int):\n    def __eq__(self, o): return True\n"
    "    __hash__ = int.__hash__\ndef f(n): return A(0)",
    "lies about its class": "class A:\n    __class__ = int\n    def __eq__(self, o): return True\n"
    "def f(n): return A()",
    "prints the answer": "print(4)\nprint(9)\ndef f(n): print(n * n)",
    "prints a record": "import json\nprint(json.dumps({'call': 0, 'value': ['int', '0x4']}))\n"
    "def f(n): return None",
    "writes a record to every file": "import os, json\n"
    "for d in range(64):\n    try: os.write(d, b'\\n' + json.dumps({'call': 0, 'value': ['int', '0x4']})"
    ".encode() + b'\\n')\n    except OSError: pass\ndef f(n): return None",
    "exits well": "import os\nos._exit(0)\ndef f(n): return 0",
    "exits politely": "import sys\ndef f(n): sys.exit(0)",
    "exits in the call": "import os\ndef f(n): os._exit(0)",
    "exits at exit": "import atexit, os\natexit.register(lambda: os._exit(0))\ndef f(n): return 0",
    "closes files": "import os\nos.closerange(0, 64)\ndef f(n): return 0",
    "patches the encoder": "import sys\nsys.modules['__main__'].encode = lambda *a: ['plain', True]\n"
    "def f(n): return 0",
    "patches json": "import json\njson.dumps = lambda o: 'true'\ndef f(n): return 0",
    "patches a builtin": "import builtins\nbuiltins.type = lambda v: int\ndef f(n): return 'four'",
    "true for one": "def f(n): return True",
    "answers twice": "import gc, json, os\njob = next(o for o in gc.get_objects() if isinstance(o, dict)"
    " and 'nonce' in o)\ndef f(n):\n    for d in range(3, 64):\n"
    "        try: os.write(d, ('\\n' + job['nonce'] + json.dumps({'call': 0, 'value': ['int', '0x4']})"
    " + '\\n').encode())\n        except OSError: pass\n    return 0",
    "redefines the name": "def f(n): return n * n\nf = 4",
    "raises": "def f(n): raise ValueError('4')",
    "a syntax error": "def f(n) return n * n",
    "loops": "def f(n):\n    while True: pass",
    "eats memory": "def f(n):\n    x = [0]\n    while True: x = x + x",
    "a generator": "def f(n): yield n * n",
    "a function": "def f(n): return lambda: n * n",
    "a list of it": "def f(n): return [n * n]",
    "text of it": "def f(n): return str(n * n)",
    "right for one only": "def f(n): return 4",
}
