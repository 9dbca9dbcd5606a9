package codec

import (
	"bytes"
	"reflect"
	"sync"
)

// dynamicTypes holds the plans of composite types that were decoded. The runtime never frees a
// type, so the number of unusual ones is limited: otherwise a hostile sender could fill the
// memory with the types [1]int, [2]int and so on. Reaching the limit affects only other types
// of the same rarity, and never types that this process already has.
var dynamicTypes = struct {
	sync.RWMutex
	plans map[string]*plan
	rare  [2]int // the number of those without and with an array in them
}{plans: make(map[string]*plan)}

// maxRare limits each kind of rare type. Only tests change it.
var maxRare = 10_000

// dynamicPlan reads the rest of the descriptor that begins with tag.
func (r *Reader) dynamicPlan(tag byte) (*plan, error) {
	if tag < tagSlice || tag == tagNamed {
		t, err := r.simpleType(tag)
		if err != nil {
			return nil, err
		}
		return planFor(t), nil
	}
	from := r.pos - 1
	if err := r.skipDescriptor(tag, 0); err != nil {
		return nil, err
	}
	descriptor := r.data[from:r.pos]
	dynamicTypes.RLock()
	p := dynamicTypes.plans[string(descriptor)]
	dynamicTypes.RUnlock()
	if p != nil {
		return p, nil
	}
	// A copy, because the other process may still write to the message.
	p, err := compose(bytes.Clone(descriptor))
	if err != nil {
		return nil, r.fail(err.Reason)
	}
	return p, nil
}

// compose makes the plan of a composite type that has not been decoded before.
func compose(descriptor []byte) (*plan, *DecodeError) {
	sort := rarityOf(descriptor)
	dynamicTypes.RLock()
	full := sort != frequent && dynamicTypes.rare[sort] >= maxRare
	dynamicTypes.RUnlock()
	var p *plan
	if full {
		p = plannedAs(descriptor)
	}
	if p == nil {
		r := NewReader(descriptor)
		if full {
			return nil, &DecodeError{Reason: "too many different types in interfaces: register them, or send slices instead of arrays"}
		}
		t, err := r.composedType(r.Byte(), 0)
		if err != nil || r.Done() != nil {
			return nil, &DecodeError{Reason: "the type of the value in an interface is malformed: " + r.Err().Error()}
		}
		p = planFor(t)
	}
	dynamicTypes.Lock()
	defer dynamicTypes.Unlock()
	if _, known := dynamicTypes.plans[string(descriptor)]; !known && !full && sort != frequent {
		dynamicTypes.rare[sort]++
	}
	dynamicTypes.plans[string(descriptor)] = p
	return p, nil
}

// plannedAs returns the existing plan with this descriptor, or nil.
func plannedAs(descriptor []byte) (found *plan) {
	plans.Range(func(_, p any) bool {
		if own, err := p.(*plan).describe(); err == nil && bytes.Equal(own, descriptor) {
			found = p.(*plan)
		}
		return found == nil
	})
	return found
}

// The rarities of composite types, by how many of them there can be.
const (
	rareOther = iota
	rareArray
	frequent // unlimited: at most a few dozen per named type
)

// rarityOf classifies a descriptor. Frequent types are up to three slices, pointers and maps with
// string keys around another type, with at most one map.
func rarityOf(descriptor []byte) int {
	r := NewReader(descriptor)
	sort, levels, maps := frequent, 0, 0
	for ; ; levels++ {
		switch tag := r.Byte(); tag {
		case tagSlice, tagPointer:
			continue
		case tagMap:
			if maps++; r.Byte() == tagString {
				continue
			}
			sort = rareOther
		case tagArray:
			return rareArray
		}
		break
	}
	if levels > 3 || maps > 1 {
		sort = rareOther
	}
	if sort == rareOther && hasArray(NewReader(descriptor), 0) {
		return rareArray
	}
	return sort
}

// hasArray reports whether the next type contains an array.
func hasArray(r *Reader, depth int) bool {
	if depth > maxDescriptorDepth {
		return false
	}
	switch tag := r.Byte(); tag {
	case tagArray:
		return true
	case tagSlice, tagPointer:
		return hasArray(r, depth+1)
	case tagMap:
		key := hasArray(r, depth+1)
		return key || hasArray(r, depth+1)
	case tagNamed:
		r.Raw()
	}
	return false
}

// skipDescriptor skips the descriptor that begins with tag.
func (r *Reader) skipDescriptor(tag byte, depth int) error {
	if depth > maxDescriptorDepth {
		return r.fail("the type of the value in an interface is nested too deeply")
	}
	switch tag {
	case tagSlice, tagPointer:
		return r.skipDescriptor(r.Byte(), depth+1)
	case tagArray:
		r.Uvarint()
		return r.skipDescriptor(r.Byte(), depth+1)
	case tagMap:
		if err := r.skipDescriptor(r.Byte(), depth+1); err != nil {
			return err
		}
		return r.skipDescriptor(r.Byte(), depth+1)
	}
	_, err := r.simpleType(tag)
	return err
}

// composedType builds the type of the descriptor that begins with tag.
func (r *Reader) composedType(tag byte, depth int) (reflect.Type, error) {
	if depth > maxDescriptorDepth {
		return nil, r.fail("the type of the value in an interface is nested too deeply")
	}
	switch tag {
	case tagSlice, tagPointer:
		elem, err := r.composedType(r.Byte(), depth+1)
		if err != nil {
			return nil, err
		}
		if tag == tagSlice {
			return reflect.SliceOf(elem), nil
		}
		return reflect.PointerTo(elem), nil
	case tagArray:
		n := r.Uvarint()
		elem, err := r.composedType(r.Byte(), depth+1)
		if err != nil {
			return nil, err
		}
		if !describable(n, elem) {
			return nil, r.fail("an array type in an interface is too large")
		}
		return reflect.ArrayOf(int(n), elem), nil
	case tagMap:
		key, err := r.composedType(r.Byte(), depth+1)
		if err != nil {
			return nil, err
		}
		if !key.Comparable() {
			return nil, r.fail("a map type in an interface has keys that cannot be compared")
		}
		elem, err := r.composedType(r.Byte(), depth+1)
		if err != nil {
			return nil, err
		}
		return reflect.MapOf(key, elem), nil
	}
	return r.simpleType(tag)
}
