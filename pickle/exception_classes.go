package pickle

// baseClasses are the exceptions of the builtins with the class that each is derived from,
// and those of the modules of concurrency. What is not here becomes an [Object] in an
// interface.
var baseClasses = map[string]string{
	"BaseException": "",
	"Exception":     "BaseException", "GeneratorExit": "BaseException", "KeyboardInterrupt": "BaseException",
	"SystemExit": "BaseException", "BaseExceptionGroup": "BaseException",
	"ArithmeticError": "Exception", "AssertionError": "Exception", "AttributeError": "Exception", "BufferError": "Exception",
	"EOFError": "Exception", "ExceptionGroup": "Exception", "ImportError": "Exception", "LookupError": "Exception",
	"MemoryError": "Exception", "NameError": "Exception", "OSError": "Exception", "ReferenceError": "Exception",
	"RuntimeError": "Exception", "StopAsyncIteration": "Exception", "StopIteration": "Exception", "SyntaxError": "Exception",
	"SystemError": "Exception", "TypeError": "Exception", "ValueError": "Exception", "Warning": "Exception",
	"FloatingPointError": "ArithmeticError", "OverflowError": "ArithmeticError", "ZeroDivisionError": "ArithmeticError",
	"ModuleNotFoundError": "ImportError", "IndexError": "LookupError", "KeyError": "LookupError",
	"UnboundLocalError": "NameError", "NotImplementedError": "RuntimeError", "RecursionError": "RuntimeError",
	"PythonFinalizationError": "RuntimeError", "IndentationError": "SyntaxError", "TabError": "IndentationError",
	"UnicodeError": "ValueError", "UnicodeDecodeError": "UnicodeError", "UnicodeEncodeError": "UnicodeError",
	"UnicodeTranslateError": "UnicodeError",
	"BlockingIOError":       "OSError", "ChildProcessError": "OSError", "ConnectionError": "OSError", "FileExistsError": "OSError",
	"FileNotFoundError": "OSError", "InterruptedError": "OSError", "IsADirectoryError": "OSError", "NotADirectoryError": "OSError",
	"PermissionError": "OSError", "ProcessLookupError": "OSError", "TimeoutError": "OSError",
	"BrokenPipeError": "ConnectionError", "ConnectionAbortedError": "ConnectionError",
	"ConnectionRefusedError": "ConnectionError", "ConnectionResetError": "ConnectionError",
	"BytesWarning": "Warning", "DeprecationWarning": "Warning", "EncodingWarning": "Warning", "FutureWarning": "Warning",
	"ImportWarning": "Warning", "PendingDeprecationWarning": "Warning", "ResourceWarning": "Warning",
	"RuntimeWarning": "Warning", "SyntaxWarning": "Warning", "UnicodeWarning": "Warning", "UserWarning": "Warning",

	"queue.Empty": "Exception", "queue.Full": "Exception", "queue.ShutDown": "Exception",
	"threading.BrokenBarrierError":                 "RuntimeError",
	"multiprocessing.context.ProcessError":         "Exception",
	"multiprocessing.context.BufferTooShort":       "multiprocessing.context.ProcessError",
	"multiprocessing.context.TimeoutError":         "multiprocessing.context.ProcessError",
	"multiprocessing.context.AuthenticationError":  "multiprocessing.context.ProcessError",
	"multiprocessing.managers.RemoteError":         "Exception",
	"multiprocessing.pool.MaybeEncodingError":      "Exception",
	"concurrent.futures._base.Error":               "Exception",
	"concurrent.futures._base.CancelledError":      "concurrent.futures._base.Error",
	"concurrent.futures._base.TimeoutError":        "concurrent.futures._base.Error",
	"concurrent.futures._base.InvalidStateError":   "concurrent.futures._base.Error",
	"concurrent.futures._base.BrokenExecutor":      "RuntimeError",
	"concurrent.futures.process.BrokenProcessPool": "concurrent.futures._base.BrokenExecutor",
	"concurrent.futures.thread.BrokenThreadPool":   "concurrent.futures._base.BrokenExecutor",
	"asyncio.exceptions.CancelledError":            "BaseException",
	"asyncio.exceptions.TimeoutError":              "Exception",
	"subprocess.CalledProcessError":                "subprocess.SubprocessError",
	"subprocess.TimeoutExpired":                    "subprocess.SubprocessError",
	"subprocess.SubprocessError":                   "Exception",
	"json.decoder.JSONDecodeError":                 "ValueError",
	"decimal.DecimalException":                     "ArithmeticError",
	"decimal.InvalidOperation":                     "decimal.DecimalException",
	"decimal.DivisionByZero":                       "decimal.DecimalException",
	"decimal.Overflow":                             "decimal.DecimalException",
	"shutil.Error":                                 "OSError",
	"struct.error":                                 "Exception",
	"pickle.PickleError":                           "Exception",
	"pickle.PicklingError":                         "pickle.PickleError",
	"pickle.UnpicklingError":                       "pickle.PickleError",
	"binascii.Error":                               "ValueError",
	"socket.timeout":                               "OSError",
	"ssl.SSLError":                                 "OSError",
	"zoneinfo._common.ZoneInfoNotFoundError":       "KeyError",
}

func isException(g Global) bool {
	if len(g.Module)+len(g.Name) > maxName {
		return false
	}
	_, ok := baseClasses[exceptionClass(g)]
	return ok
}
