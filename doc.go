// Package mp runs functions of this program in other processes: one at a time
// or through a pool, and whatever those processes do (crash, hang, eat memory,
// be killed) costs one task and nothing else. They talk and agree through queues,
// pipes, locks and shared values, which survive the death of whoever has them. It is
// Python's multiprocessing and concurrent.futures thought through again for Go.
//
//	var square = mp.Register("square", func(ctx context.Context, n int) (int, error) {
//		return n * n, nil
//	})
//
//	func main() {
//		mp.Main() // a worker process serves from here and never returns
//
//		pool, err := mp.NewPool(mp.PoolConfig{Workers: 4})
//		if err != nil {
//			log.Fatal(err)
//		}
//		defer pool.Close()
//
//		squares, err := mp.Map(context.Background(), pool, square, []int{1, 2, 3})
//		fmt.Println(squares, err) // [1 4 9] <nil>
//	}
//
// # The model
//
// A [Func] is a function that every process of the program knows by its name:
// [Register] it in a package variable. A process is started from this program's
// own binary, which comes to [Main] in its main function and serves from there.
// Inputs and outputs are copied, and what arrives is deeply equal to what was sent. Values may have any type without channels and
// functions in it; a type that travels inside an interface is made known by
// [RegisterType]. What cannot travel is an error that names the place, such as
// in.Jobs[3].Next.
//
// A task has exactly one outcome: a value, or an error that says why there is
// none. See [TaskError] for the errors of a task, [WorkerDiedError],
// [TimeoutError] and [PanicError] for the most usual causes.
//
// Where a name or a behaviour follows Python the comment says so. Every method
// may be called by any number of goroutines at once unless it says otherwise,
// and every wait ends with its ctx.
//
// # What processes print
//
// What a task has printed, itself or by commands that it waited for, is handed to the Stdout and
// Stderr of its pool or process before its outcome is delivered: in whole lines, as the process
// wrote them, and in one order where both lead to one place, as after 2>&1 or with one
// writer for both. So nothing is lost that a delivered outcome is about, however main ends.
// A line without its end comes out after a tenth of a second, or with the outcome.
//
// Delivery waits for a writer no longer than a second, and 10 ms for a task that was killed
// or is past its deadline; it waits once while the writer is where it was, and an event,
// [OutputLate], says so. What a writer does not take is lost, and no more: [OutputLost],
// or [Process.Join], says how much. A file that takes nothing just now (EAGAIN) is waited for. [Prefix] labels lines,
// [Capture] keeps them in outcomes. With stdout and stderr in one place the last words of a process in an error hold both, but what
// the Go runtime says about a crash is told from the rest.
//
// # What processes share
//
// Processes share what was made for it, and nothing else:
//
//   - to pass values on: [Queue], for any number of producers and consumers, and the two
//     ends of a pipe, [Conn]; [Select] waits for many of them at once;
//   - to agree: [Lock], [RLock], [Semaphore], [Condition], [Event], [Barrier];
//   - to have something in common: [Value] and [Counter], which are never half written,
//     and [Array] and [Memory], which are the memory itself, by name also with Python;
//   - open files, sockets among them: an *os.File travels as it is, see [Register].
//
// Each but the file is made by its New function. All are shared by their pointer: put that
// into the input or output of a Func, into a message or an item of a queue, at any depth,
// and the other process has the same object. It lives as long as a process has it. Using one that is nil
// or zero is an error that says so; where a method returns none, and has no answer that is
// true, it panics with that error.
//
//	q, err := mp.NewQueue[string](mp.Unbounded)
//	p, err := mp.Start(ctx, writer, q) // writer puts, in its own process
//	for word, err := range q.All(ctx) { // until writer has closed it
//		fmt.Println(word, err)
//	}
//
// A process may be killed at any instant. What it had put or sent is there, what it had half
// written is not, its permits are back, and its lock goes to whoever waits: [Hold.Abandoned]
// tells that one to look at what the lock guards. A wait for a lock that ends with its ctx
// says who has the lock, and names processes that wait for each other: [DeadlockError].
//
// What is shared is for Linux; elsewhere the New functions answer errors.ErrUnsupported.
//
// # Goroutines
//
// Package thread makes pools, queues, pipes, locks and values for the goroutines of one process.
// They are the types of this package, so that a program moves to processes, and back, by
// changing its constructors. Goroutines share memory: there, nothing is copied.
//
// # What it is not
//
// It is not a framework of actors or workflows and no scheduler of jobs with a
// database of its own. For work that cannot crash, hang or leak, goroutines are
// enough and cheaper: a call through a pool costs between 3 and 100 microseconds, a
// process one or two milliseconds.
package mp
