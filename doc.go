// Package mp runs functions of this program in other processes, one at a time or through a pool. A process
// that crashes, hangs, eats memory or is killed costs one task and nothing else. Processes communicate
// through queues, pipes, locks and shared values, which survive the death of any process that has them. It
// is Python's multiprocessing and concurrent.futures thought through again for Go.
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
// [Register] it in a package variable. A process is started from this program's own binary; its main
// function calls [Main], which serves from there. Inputs and outputs are copied, and a value arrives
// deeply equal to the one that was sent. It may have any type without channels and functions in it;
// [RegisterType] makes a type known that travels inside an interface. A value that cannot travel is an
// error that names the place, such as in.Jobs[3].Next.
//
// A task has exactly one outcome: a value, or an error that says why there is no value. See [TaskError] for
// the errors of a task, and [WorkerDiedError], [TimeoutError] and [PanicError] for the most common causes.
//
// A comment names the Python behaviour that it follows. Every method is safe for concurrent use unless its
// comment says otherwise, and every wait ends with its ctx.
//
// # What processes print
//
// The output of a task, and of commands that it waited for, reaches the Stdout and Stderr of its pool or
// process before its outcome is delivered: in whole lines, as the process wrote them, and in one order
// where both lead to one place, as after 2>&1 or with one writer for both. So the output behind a delivered
// outcome is never lost, however main ends. A line without its end comes out after a tenth of a second, or with
// the outcome.
//
// Delivery waits for a writer for a second at most, and for 10 ms after a task was killed or passed its
// deadline. While the writer makes no progress, only the first delivery waits, and the event [OutputLate]
// reports it. Output that a writer refuses is lost; [OutputLost], or [Process.Join], reports how much. A file that
// takes nothing at the moment (EAGAIN) is waited for. [Prefix] labels lines, [Capture] keeps them in outcomes. With
// stdout and stderr in one place, the last words of a process in an error hold both; a crash report of the Go
// runtime is kept apart from them.
//
// # What processes share
//
// Processes share objects that were made for it, and nothing else:
//
//   - to pass values: [Queue], for any number of producers and consumers, and the two ends of a pipe,
//     [Conn]; [Select] waits for many of them at once;
//   - to synchronize: [Lock], [RLock], [Semaphore], [Condition], [Event], [Barrier];
//   - to share state: [Value] and [Counter], which are never half written, and [Array] and [Memory], which
//     are plain memory, by name also with Python;
//   - open files, including sockets: an *os.File travels as it is, see [Register].
//
// All but files are made by New functions and shared by pointer: put the pointer into the input or output of
// a Func, into a message or an item of a queue, at any depth, and the other process has the same object.
// An object lives as long as some process has it. Using one that is nil or zero is an error; a method that
// returns no error, and has no true answer, panics with it.
//
//	q, err := mp.NewQueue[string](mp.Unbounded)
//	p, err := mp.Start(ctx, writer, q) // writer puts, in its own process
//	for word, err := range q.All(ctx) { // until writer has closed it
//		fmt.Println(word, err)
//	}
//
// A process may be killed at any instant. What it had put or sent stays; what it had half written never
// shows; its permits are available again, and its lock goes to the next waiter, whose Hold is Abandoned
// so that it checks what the lock guards. When a wait for a lock ends with its ctx, the error names the owner, and
// the processes that wait for each other if there is a deadlock: [DeadlockError].
//
// Shared objects need Linux; elsewhere the New functions return errors.ErrUnsupported.
//
// # Goroutines
//
// Package thread makes pools, queues, pipes, locks and values for the goroutines of one process.
// They are the types of this package, so that a program moves to processes, and back, by
// changing its constructors. Goroutines share memory: there, nothing is copied.
//
// # What it is not
//
// It is not a framework for actors or workflows, and not a job scheduler with a database. For work that cannot
// crash, hang or leak, goroutines are enough and cheaper: a call through a pool costs between 3 and 100
// microseconds, a process some milliseconds.
package mp
