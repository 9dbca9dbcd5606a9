package mp

import (
	"reflect"

	"github.com/gomultiprocessing/mp/internal/codec"
)

// What belongs to one process cannot be put into an input or output. The methods
// are there because generic types have no reflect.Type of their own.
type (
	aResult interface{ belongsHereAsResult() }
	aFunc   interface{ belongsHereAsFunc() }
)

func (*Result[T]) belongsHereAsResult()   {}
func (*Func[In, Out]) belongsHereAsFunc() {}

func init() {
	codec.Refuse(reflect.TypeFor[Pool](), "a Pool belongs to the process that made it: make one in the other process, or send the results back")
	codec.Refuse(reflect.TypeFor[Process](), "a Process belongs to the process that started it: send its PID or its Name")
	codec.Refuse(reflect.TypeFor[Binding](), "a Binding holds a function of its process: send the input, and bind it in the other process")
	codec.Refuse(reflect.TypeFor[aResult](), "a Result belongs to the process that submitted the task: wait for it, and send the value")
	codec.Refuse(reflect.TypeFor[aFunc](), "a Func belongs to its process: the other one has it too, send its Name")
}
