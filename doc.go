// Package mp runs functions of this program in other processes: one at a time
// or through a pool, and whatever those processes do (crash, hang, eat memory,
// be killed) costs one task and nothing else. It is Python's multiprocessing
// and concurrent.futures thought through again for Go.
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
// Processes share nothing: inputs and outputs are copied, and what arrives is
// deeply equal to what was sent. Values may have any type without channels and
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
// # What it is not
//
// It is not a framework of actors or workflows and no scheduler of jobs with a
// database of its own. For work that cannot crash, hang or leak, goroutines are
// enough and cheaper: a call through a pool costs between 3 and 100 microseconds, a
// process one or two milliseconds.
package mp
