"""Answers the tests of package pickle: one request and one answer a line, in JSON."""
import array, base64, collections, datetime, decimal, fractions, json, os, pathlib, pickle, queue, sys, threading, uuid

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import shapes

try:
    import zoneinfo
except ImportError:
    pass
try:
    import numpy
except ImportError:
    numpy = None


def raised(call):
    try:
        call()
    except BaseException as e:
        return e


def equal(a, b):
    if type(a) is not type(b):
        return False
    if numpy is not None and isinstance(a, (numpy.ndarray, numpy.generic)):
        return a.dtype == b.dtype and a.shape == b.shape and bool(numpy.all(a == b))
    if isinstance(a, BaseException):
        return a.args == b.args and vars(a) == vars(b)
    return a == b or a != a and b != b


def answer(request):
    names = dict(globals())
    if "setup" in request:
        exec(request["setup"], names)
    op = request["op"]
    if op == "dumps":
        return base64.b64encode(pickle.dumps(eval(request["expr"], names), request["protocol"])).decode()
    got = pickle.loads(base64.b64decode(request["data"]))
    if op == "equal":
        want = eval(request["expr"], names)
        return "" if equal(want, got) else "%r, not %r" % (got, want)
    if op == "check":  # expr tells whether v is right
        names["v"] = got
        return "" if eval(request["expr"], names) else repr(got)
    if op == "again":  # as Python writes it back
        return base64.b64encode(pickle.dumps(got, request["protocol"])).decode()


print(json.dumps({"version": list(sys.version_info[:3]), "numpy": numpy and numpy.__version__, "highest": pickle.HIGHEST_PROTOCOL}), flush=True)
for line in sys.stdin:
    try:
        print(json.dumps({"ok": answer(json.loads(line))}), flush=True)
    except BaseException as e:
        print(json.dumps({"error": "%s: %s" % (type(e).__name__, e)}), flush=True)
