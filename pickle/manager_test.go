package pickle_test

import (
	"reflect"
	"testing"

	"github.com/gomultiprocessing/mp/pickle"
)

// Both directions of what multiprocessing.managers puts into its messages.
func TestMessagesOfManagers(t *testing.T) {
	type proxy struct {
		Class string
		Token token
	}
	codec := &pickle.Codec{
		Build: func(o *pickle.Object, _ reflect.Type) (any, bool, error) {
			switch (pickle.Global{Module: o.Module, Name: o.Name}) {
			case pickle.Global{Module: "multiprocessing.managers", Name: "Token"}:
				state, ok := o.State.(pickle.Tuple)
				return token{state[2].(string)}, ok, nil
			case pickle.Global{Module: "multiprocessing.managers", Name: "RebuildProxy"}:
				return &proxy{o.Args[0].(pickle.Global).Name, o.Args[1].(token)}, true, nil
			}
			return nil, false, nil
		},
	}
	const module = "__import__('multiprocessing.managers').managers"
	eachPython(t, func(t *testing.T, p *peer) {
		for _, protocol := range p.protocols() {
			var got any
			expr := "('id', 'put', ([" + module + ".Token('Queue', ('127.0.0.1', 5), 'abc')],), {})"
			if err := codec.Unmarshal(p.dumps(expr, protocol), &got); err != nil {
				t.Fatal(err)
			}
			want := pickle.Tuple{"id", "put", pickle.Tuple{[]any{token{"abc"}}}, map[any]any{}}
			if protocol >= 2 && !reflect.DeepEqual(got, want) {
				t.Errorf("protocol %d: %#v", protocol, got)
			}
		}
		b := marshal(t, &pickle.Object{Module: "multiprocessing.managers", Name: "Token", New: true, State: pickle.Tuple{"Queue", pickle.Tuple{"127.0.0.1", 5}, "abc"}})
		p.check("type(v) is "+module+".Token and (v.typeid, v.address, v.id) == ('Queue', ('127.0.0.1', 5), 'abc')", b)
		var got any
		rebuild := &pickle.Object{Module: "multiprocessing.managers", Name: "RebuildProxy", Args: pickle.Tuple{
			pickle.Global{Module: "multiprocessing.managers", Name: "DictProxy"},
			&pickle.Object{Module: "multiprocessing.managers", Name: "Token", New: true, State: pickle.Tuple{"dict", "/s", "abc"}}, "pickle", map[string]any{}}}
		if err := codec.Unmarshal(marshal(t, rebuild), &got); err != nil || !reflect.DeepEqual(got, &proxy{"DictProxy", token{"abc"}}) {
			t.Errorf("%#v, %v", got, err)
		}
		var kind struct {
			Kind  string
			Value error
		}
		if err := pickle.Unmarshal(p.dumps("('#ERROR', raised(queue.Queue().get_nowait))", 4), &kind); err != nil || kind.Value.Error() != "queue.Empty" {
			t.Errorf("%+v, %v", kind, err)
		}
	})
}
