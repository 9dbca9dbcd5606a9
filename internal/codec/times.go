package codec

import (
	"bytes"
	"path"
	"reflect"
	"sync"
	"time"
)

var (
	timeType            = reflect.TypeFor[time.Time]()
	locationType        = reflect.TypeFor[time.Location]()
	locationPointerType = reflect.TypeFor[*time.Location]()
)

// local is time.Local as it was when the program began. Package time compares locations with this
// pointer and not with the variable, so its identity must be preserved.
var local = time.Local

// The encodings of a *time.Location.
const (
	zoneNil   = iota
	zoneUTC   // time.UTC, which a time.Time stores as nil
	zoneLocal // time.Local
	zoneNamed // a name that time.LoadLocation knows
	zoneFixed // name and offset of time.FixedZone
	zoneOther // the fields of the location
)

// zoneMemo is the last location and its encoding. Neighbouring times almost always share their
// location.
type zoneMemo struct {
	loc  *time.Location
	code []byte
}

// maxZoneMemo is the longest encoding, in bytes, that a memo keeps. It is far below largeBlock,
// so the encoding contains no padding and may be copied to any position.
const maxZoneMemo = 512

// time makes the plan of time.Time: seconds since 1970, nanoseconds, location. Everything but the
// monotonic reading is exact.
func (c compiler) time(p *plan) {
	fields := c.plan(locationType)
	p.minSize = 8 + 4 + 1
	p.encode = func(b *Buffer, v address) *Error {
		t := at[time.Time](v)
		b.walk.noteTime(t)
		b.Uint64(uint64(t.Unix()))
		nanos := uint32(t.Nanosecond())
		b.data = append(b.data, byte(nanos), byte(nanos>>8), byte(nanos>>16), byte(nanos>>24))
		return encodeLocation(b, t.Location(), fields)
	}
	p.decode = func(r *Reader, v address) error { return decodeTime(r, at[time.Time](v), fields) }
}

func decodeTime(r *Reader, t *time.Time, fields *plan) error {
	seconds := int64(r.Uint64())
	low, high := uint32(r.Byte())|uint32(r.Byte())<<8, uint32(r.Byte())|uint32(r.Byte())<<8
	nanos := low | high<<16
	if nanos >= 1e9 {
		return r.fail("a time has more than 999,999,999 nanoseconds")
	}
	loc, err := decodeLocation(r, fields)
	if err != nil {
		return err
	}
	if loc == nil {
		return r.fail("a time has no location")
	}
	*t = time.Unix(seconds, int64(nanos)).In(loc)
	return nil
}

// location makes the plan of *time.Location. The identity of time.UTC and time.Local is
// preserved.
func (c compiler) location(p *plan) {
	fields := c.plan(locationType)
	p.encode = func(b *Buffer, v address) *Error {
		return encodeLocation(b, *at[*time.Location](v), fields)
	}
	p.decode = func(r *Reader, v address) error {
		loc, err := decodeLocation(r, fields)
		*at[*time.Location](v) = loc
		return err
	}
}

func encodeLocation(b *Buffer, loc *time.Location, fields *plan) *Error {
	switch loc {
	case nil:
		b.Byte(zoneNil)
		return nil
	case time.UTC:
		b.Byte(zoneUTC)
		return nil
	case local:
		b.Byte(zoneLocal)
		return nil
	}
	if b.walk.inKey {
		return refused(reasonKeyZone)
	}
	if loc == b.zone.loc {
		b.data = append(b.data, b.zone.code...)
		return nil
	}
	from := len(b.data)
	if err := encodeZone(b, loc, fields); err != nil {
		return err
	}
	if size := len(b.data) - from; size <= maxZoneMemo {
		b.zone.loc, b.zone.code = loc, append(b.zone.code[:0], b.data[from:]...)
	}
	return nil
}

// encodeZone writes the shortest exact encoding of loc.
func encodeZone(b *Buffer, loc *time.Location, fields *plan) *Error {
	name := loc.String()
	abbreviation, seconds := time.Unix(0, 0).In(loc).Zone()
	if abbreviation == name && reflect.DeepEqual(loc, time.FixedZone(name, seconds)) {
		b.Byte(zoneFixed)
		b.String(name)
		b.Uint64(uint64(seconds))
		return nil
	}
	if known := zoneByName(name); known != nil && known.is(loc) {
		b.Byte(zoneNamed)
		b.String(name)
		return nil
	}
	b.Byte(zoneOther)
	return fields.encode(b, addressOf(loc))
}

func decodeLocation(r *Reader, fields *plan) (*time.Location, error) {
	if r.err == nil && !r.inKey && len(r.zone.code) > 0 && bytes.HasPrefix(r.data[r.pos:], r.zone.code) {
		r.pos += len(r.zone.code)
		return r.zone.loc, nil
	}
	from := r.pos
	var loc *time.Location
	sort := r.Byte()
	switch sort {
	case zoneNil:
		return nil, r.err
	case zoneUTC:
		return time.UTC, nil
	case zoneLocal:
		return local, nil
	}
	if r.inKey {
		return nil, r.fail("a map key holds a time zone")
	}
	switch sort {
	case zoneNamed:
		loc = r.namedZone()
	case zoneFixed:
		name, seconds := r.String(), int(int64(r.Uint64()))
		loc = time.FixedZone(name, seconds)
	case zoneOther:
		loc = r.otherZone(fields)
	default:
		r.fail("the kind of a location is unknown")
	}
	if r.err != nil {
		return nil, r.err
	}
	if r.pos-from <= maxZoneMemo {
		r.zone = zoneMemo{loc: loc, code: r.data[from:r.pos]}
	}
	return loc, nil
}

func (r *Reader) namedZone() *time.Location {
	name := r.Raw()
	if len(name) > 255 {
		r.fail("the name of a time zone is too long")
		return nil
	}
	if known := zoneByName(string(name)); known != nil {
		return known.loaded
	}
	r.fail("the time zone " + string(name) + " is unknown in this process")
	return nil
}

// otherZone decodes the fields of a location. Package time trusts the indices inside it, so they
// are checked here.
func (r *Reader) otherZone(fields *plan) *time.Location {
	loc := new(time.Location)
	if fields.decode(r, addressOf(loc)) != nil {
		return nil
	}
	value := reflect.ValueOf(loc).Elem()
	zones, changes := value.FieldByName("zone"), value.FieldByName("tx")
	for i := range changes.Len() {
		if changes.Index(i).FieldByName("index").Uint() >= uint64(zones.Len()) {
			r.fail("a location refers to a zone that it does not have")
			return nil
		}
	}
	return loc
}

// namedZone is a location that time.LoadLocation returned.
type namedZone struct {
	loaded *time.Location
	mu     sync.Mutex
	equal  *time.Location // another location that is deeply equal
}

// is reports whether loc is what time.LoadLocation returns in any process.
func (z *namedZone) is(loc *time.Location) bool {
	if loc == z.loaded {
		return true
	}
	z.mu.Lock()
	defer z.mu.Unlock()
	if loc != z.equal && reflect.DeepEqual(loc, z.loaded) {
		z.equal = loc
	}
	return loc == z.equal
}

// namedZones caches results of time.LoadLocation, nil for an error. The time zone database has
// about 600 names, up to 1800 with its variants; the limits protect against names that a hostile
// sender makes up.
var namedZones = struct {
	sync.Mutex
	byName map[string]*namedZone
}{byName: make(map[string]*namedZone)}

const (
	maxUnknownZones = 1024
	maxNamedZones   = 4096
)

// zoneByName returns nil if there is no such zone.
func zoneByName(name string) *namedZone {
	if name == "UTC" || name == "Local" || name != path.Clean(name) {
		return nil // the first two have a special meaning, others have several spellings
	}
	namedZones.Lock()
	defer namedZones.Unlock()
	if zone, ok := namedZones.byName[name]; ok {
		return zone
	}
	var zone *namedZone
	if loaded, err := time.LoadLocation(name); err == nil {
		zone = &namedZone{loaded: loaded}
	}
	if known := len(namedZones.byName); known < maxUnknownZones || zone != nil && known < maxNamedZones {
		namedZones.byName[name] = zone
	}
	return zone
}
