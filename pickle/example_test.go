package pickle_test

import (
	"errors"
	"fmt"
	"io"
	"reflect"

	"github.com/gomultiprocessing/mp/pickle"
)

func ExampleUnmarshal() {
	// pickle.dumps({"name": "resize", "sizes": (100, 200)}) in Python.
	data := []byte("\x80\x04\x95#\x00\x00\x00\x00\x00\x00\x00}\x94(\x8c\x04name\x94\x8c\x06resize\x94\x8c\x05sizes\x94KdK\xc8\x86\x94u.")
	var job struct {
		Name  string `pickle:"name"`
		Sizes []int  `pickle:"sizes"`
	}
	err := pickle.Unmarshal(data, &job)
	fmt.Println(job, err)

	var v any
	err = pickle.Unmarshal(data, &v)
	fmt.Println(v, err)
	// Output:
	// {resize [100 200]} <nil>
	// map[name:resize sizes:[100 200]] <nil>
}

// Nothing is executed: a call of os.system is a value that says so.
func ExampleUnmarshal_hostile() {
	var v any
	err := pickle.Unmarshal([]byte("cos\nsystem\n(S'rm -r /'\ntR."), &v)
	object := v.(*pickle.Object)
	fmt.Println(object.Module, object.Name, object.Args, err)
	// Output: os system [rm -r /] <nil>
}

type job struct {
	Name     string `pickle:"name"`
	Priority int    `pickle:"priority"`
}

func ExampleRegister() {
	pickle.Register[job]("jobs", "Job") // class Job of jobs.py, a dataclass

	data, err := pickle.Marshal([]any{&job{"resize", 3}})
	if err != nil {
		fmt.Println(err)
		return
	}
	var v []any
	err = pickle.Unmarshal(data, &v)
	fmt.Printf("%+v %v\n", v[0], err)
	// Output: &{Name:resize Priority:3} <nil>
}

func ExampleException() {
	data, err := pickle.Marshal(fmt.Errorf("reading: %w", io.EOF))
	if err != nil {
		fmt.Println(err)
		return
	}
	var answer error
	if err := pickle.Unmarshal(data, &answer); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(answer)
	fmt.Println(errors.Is(answer, io.EOF))
	// Output:
	// EOFError: reading: EOF
	// true
}

// handle is a reference to an object that lives in a server.
type handle struct{ ID string }

func ExampleCodec() {
	codec := pickle.Codec{
		Build: func(o *pickle.Object, _ reflect.Type) (any, bool, error) {
			if o.Module != "server" || o.Name != "Proxy" || len(o.Args) != 1 {
				return nil, false, nil
			}
			id, ok := o.Args[0].(string)
			return handle{id}, ok, nil
		},
		Reduce: func(v any) (any, bool, error) {
			h, ok := v.(handle)
			return &pickle.Object{Module: "server", Name: "Proxy", Args: pickle.Tuple{h.ID}}, ok, nil
		},
	}
	data, err := codec.Marshal(pickle.Tuple{"get", handle{"42"}})
	if err != nil {
		fmt.Println(err)
		return
	}
	var v any
	err = codec.Unmarshal(data, &v)
	fmt.Println(v, err)
	// Output: [get {42}] <nil>
}
