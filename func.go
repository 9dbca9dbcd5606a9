package mp

import (
	"context"
	"fmt"
	"reflect"
	"strings"
	"sync"

	"github.com/gomultiprocessing/mp/internal/codec"
	"github.com/gomultiprocessing/mp/internal/proc/child"
)

// Unbounded is the capacity of what is bounded by memory only.
const Unbounded = 0

// None is the input or output of a Func that has none.
type None = struct{}

// Func is a function that other processes of this program know by its name. It
// is made by Register and safe for concurrent use.
type Func[In, Out any] struct {
	name   string
	runner string // the type's name, of a Func made by RegisterRunner
	fn     func(ctx context.Context, in In) (Out, error)
	in     *codec.Plan[In]
	out    *codec.Plan[Out]
	flat   bool // the input travels as memory
	size   int  // of an output that travels as memory; 0: it does not
	apart  bool // decoding an output may run code of the program's
	moves  bool // an input may hold something that leaves this process with it
	only   bool // of this process: a closure, which no other one knows

	spans    sync.Pool // of calls on goroutines
	checked  sync.Once
	checkErr error // of types that can never travel
}

// Register makes a function known to all processes of the program. It is called
// before Main, normally by the initialisation of a package variable, so that
// every process has the same functions.
//
// An empty name stands for the name of the function with its package, such as main.square
// or example.com/shop.Price. A function literal, a method and an instance of a generic
// function have no name that is surely the same in every process: they need one.
//
// It panics when the name is taken, and says where it was registered first; when it is
// empty and cannot be derived; when fn is nil; and after Main. It
// does not look at the types: what cannot travel is an error of the call.
//
// What a Func has started does not end with its return by itself. A thread, or a process of Start, that was given
// the task's ctx is told to end then, as that ctx ends; one that was given another ctx, and a bare
// goroutine, go on: in a pool's worker beside the next tasks, until the worker ends; in a process of Start
// or Call until that ends, which is at once. Processes that a process has started end with it, within a second.
//
// Inputs and outputs are copied, but for what processes share (see the package's
// comment) and for open files: an *os.File in them, or in an item of a queue or pipe,
// arrives as an *os.File of the same open file, with a descriptor of its own. That goes for
// sockets and pipes too: hand over what the File method of a net.TCPListener or net.TCPConn
// returns, and use net.FileListener or net.FileConn there. The sender's stays open; it may be
// closed when the call has an outcome, or when Start, Put or Send has returned; one that a
// Func returns is closed in its process when it is garbage. The receiver's is the
// receiver's to close. The offset and the blocking mode belong to the open file and so
// to both: do not call Fd on one that another process waits for. A pipe's reader comes to
// its end when every process has closed the other end, the one that handed it over too. A
// closed file is an error that is os.ErrClosed. A task that is begun again gets the file again.
// Goroutines share the file itself: one that closes it closes the caller's.
func Register[In, Out any](name string, fn func(ctx context.Context, in In) (Out, error)) *Func[In, Out] {
	if fn == nil {
		panic(fmt.Sprintf("mp: Register(%q): the function is nil", name))
	}
	name = nameFor("Register", name, func() (string, string) { return functionName(fn) })
	f := newFunc(name, fn)
	funcs.add(name, handler[In, Out]{f}, called())
	return f
}

func newFunc[In, Out any](name string, fn func(ctx context.Context, in In) (Out, error)) *Func[In, Out] {
	f := &Func[In, Out]{name: name, fn: fn, in: codec.For[In](), out: codec.For[Out]()}
	f.plan()
	return f
}

// plan finds out how the function's types travel, again when RegisterCodec has changed it.
func (f *Func[In, Out]) plan() {
	_, f.flat = codec.MemorySize[In]()
	f.size, _ = codec.MemorySize[Out]()
	f.apart = f.size == 0 && codec.RunsCode(reflect.TypeFor[Out]())
	f.moves = codec.Moves(reflect.TypeFor[In]())
}

// Runner is a value that is a piece of work, as a subclass of Python's
// multiprocessing.Process with a run method.
type Runner interface {
	Run(ctx context.Context) error
}

// RegisterRunner is Register for a type with a Run method. The input is a value of the type, and the Func calls
// its Run. Use RegisterRunner[*T] if Run has a pointer receiver. A process started with the Func is named after
// the type. An empty name stands for the type's name with its package, such as main.Job.
func RegisterRunner[R Runner](name string) *Func[R, None] {
	t := reflect.TypeFor[R]()
	name = nameFor("RegisterRunner", name, func() (string, string) { return typeName(t) })
	f := newFunc(name, func(ctx context.Context, r R) (None, error) {
		return None{}, r.Run(ctx)
	})
	funcs.add(name, handler[R, None]{f}, called())
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	f.runner, _, _ = strings.Cut(t.Name(), "[") // without type arguments
	return f
}

// Name is the name under which the function was registered.
func (f *Func[In, Out]) Name() string { return f.name }

// Do calls the function here, in this goroutine: nothing is copied, and a panic
// is a panic.
func (f *Func[In, Out]) Do(ctx context.Context, in In) (Out, error) { return f.fn(ctx, in) }

// known says why no other process can call the function.
func (f *Func[In, Out]) known() error {
	if f.only {
		return fmt.Errorf("%w: %s is a closure of thread.Func, for goroutines: make it a function of mp.Register", ErrNotRegistered, f.name)
	}
	_, err := funcs.find(f.name)
	return err
}

// handler is a Func as package child calls it.
type handler[In, Out any] struct{ f *Func[In, Out] }

func (h handler[In, Out]) Open(r *codec.Reader, n int) (child.Calls, error) {
	in, errs, err := h.f.in.DecodeEach(r, n)
	if err != nil {
		return nil, err
	}
	return &calls[In, Out]{f: h.f, in: in, errs: errs}, r.Done()
}

func (h handler[In, Out]) Copies() bool { return h.f.flat }

func (h handler[In, Out]) plan() { h.f.plan() }

// calls are decoded inputs and the last output.
type calls[In, Out any] struct {
	f    *Func[In, Out]
	in   []In
	errs map[int]error // of inputs whose UnmarshalBinary failed; mostly nil
	out  Out
}

func (c *calls[In, Out]) Call(ctx context.Context, i int) (err error) {
	if c.errs != nil {
		if err := c.errs[i]; err != nil {
			return err
		}
	}
	c.out, err = c.f.fn(ctx, c.in[i])
	return err
}

// CallMemory is Call and PutMemory, written out: it is what a small task costs.
func (c *calls[In, Out]) CallMemory(ctx context.Context, i int, dst []byte) (err error) {
	if c.errs != nil {
		if err := c.errs[i]; err != nil {
			return err
		}
	}
	if c.out, err = c.f.fn(ctx, c.in[i]); err == nil {
		c.f.out.PutMemory(dst, &c.out)
	}
	return err
}

func (c *calls[In, Out]) Memory() int { return c.f.size }

func (c *calls[In, Out]) PutMemory(dst []byte) { c.f.out.PutMemory(dst, &c.out) }

func (c *calls[In, Out]) Encode(b *codec.Buffer) error {
	return c.f.out.Encode(b, "out", &c.out)
}

func init() {
	codec.Refuse(reflect.TypeFor[aFunc](), "a Func belongs to its process: the other one has it too, send its Name")
}

// aFunc is a Func of any types: a generic type has no reflect.Type.
type aFunc interface{ belongsHereAsFunc() }

func (*Func[In, Out]) belongsHereAsFunc() {}

// registry is the functions of this program.
type registry struct {
	mu     sync.RWMutex
	byName map[string]child.Handler
	at     map[string]callSite
}

var funcs = registry{byName: make(map[string]child.Handler), at: make(map[string]callSite)}

func (r *registry) add(name string, h child.Handler, at callSite) {
	if entered.Load() {
		panic(fmt.Sprintf("mp: Register(%q) after Main: other processes would not know it; register in a package variable", name))
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, taken := r.byName[name]; taken {
		panic(fmt.Sprintf("mp: Register(%q): the name is taken%s", name, r.at[name]))
	}
	r.byName[name], r.at[name] = h, at
}

// planAgain has every Func look again how its types travel.
func (r *registry) planAgain() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, h := range r.byName {
		h.(interface{ plan() }).plan()
	}
}

func (r *registry) find(name string) (child.Handler, error) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	if h, ok := r.byName[name]; ok {
		return h, nil
	}
	return nil, fmt.Errorf("%w: %q: register it in a package variable, in every process alike", ErrNotRegistered, name)
}
