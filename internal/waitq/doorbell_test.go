//go:build linux

package waitq

import (
	"runtime"
	"testing"
	"weak"
)

// garbageDoorbell takes a snapshot of an object's doorbell, and drops the object.
func garbageDoorbell(t *testing.T, set *futexSet) weak.Pointer[Object] {
	o, err := NewObject(Shape{Name: "garbage", Kind: 99}, func(*Object) any { return nil })
	if err != nil {
		t.Fatal(err)
	}
	set.snapshot([]*Object{o}, 1)
	return weak.Make(o)
}

// A leader writes to the doorbells on which it slept when it wakes. Their memory is there until then, though the
// parking lot and the program have dropped the object meanwhile; and no longer.
func TestLeaderKeepsTheObjectsOfItsDoorbells(t *testing.T) {
	var set futexSet
	o := garbageDoorbell(t, &set)
	for range 3 {
		runtime.GC()
	}
	if o.Value() == nil {
		t.Error("the memory of a doorbell is gone while the leader uses it")
	}
	set.snapshot(nil, 1)
	for range 3 {
		runtime.GC()
	}
	if o.Value() != nil {
		t.Error("the leader keeps an object that it does not use")
	}
	runtime.KeepAlive(&set)
}
