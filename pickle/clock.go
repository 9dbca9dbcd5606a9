package pickle

import (
	"fmt"
	"math"
	"strings"
	"time"
)

// Date is a datetime.date.
type Date struct {
	Year  int
	Month time.Month
	Day   int
}

// DateTime is a datetime.datetime without a timezone, which is no instant. One with a
// timezone is a time.Time. A target of type time.Time takes a DateTime as a time of the
// local zone, as Python's timestamp method does.
type DateTime struct {
	Year                              int
	Month                             time.Month
	Day                               int
	Hour, Minute, Second, Microsecond int
	Fold                              bool // the second of two equal times, at the end of summer time
}

// In returns the instant at which a clock in loc shows t.
func (t DateTime) In(loc *time.Location) time.Time {
	at := func(offset int) time.Time {
		return time.Date(t.Year, t.Month, t.Day, t.Hour, t.Minute, t.Second-offset, t.Microsecond*1000, time.UTC).In(loc)
	}
	// What was valid a day earlier and a day later are the two candidates.
	_, before := at(0).AddDate(0, 0, -1).Zone()
	_, after := at(0).AddDate(0, 0, 1).Zone()
	first, second := at(before), at(after)
	_, firstIs := first.Zone()
	_, secondIs := second.Zone()
	switch ok1, ok2 := firstIs == before, secondIs == after; {
	case ok1 && ok2 && t.Fold, ok2 && !ok1:
		return second
	case ok1:
		return first
	case t.Fold: // a time that the clock skips: Python takes the other side's offset
		return second
	}
	return first
}

// TimeOfDay is a datetime.time.
type TimeOfDay struct {
	Hour, Minute, Second, Microsecond int
	Fold                              bool
	Zone                              *time.Location // nil: none
}

func wall(t time.Time) DateTime {
	return DateTime{t.Year(), t.Month(), t.Day(), t.Hour(), t.Minute(), t.Second(), t.Nanosecond() / 1000, false}
}

// pack is Python's form: two bytes for the year, three for the microseconds.
func (t DateTime) pack() []byte {
	month := byte(t.Month)
	if t.Fold {
		month |= 0x80
	}
	us := t.Microsecond
	return []byte{byte(t.Year >> 8), byte(t.Year), month, byte(t.Day), byte(t.Hour), byte(t.Minute), byte(t.Second),
		byte(us >> 16), byte(us >> 8), byte(us)}
}

func (t DateTime) valid() bool {
	return t.Year >= 1 && t.Year <= 9999 && t.Month >= 1 && t.Month <= 12 && t.Day >= 1 &&
		t.Day <= time.Date(t.Year, t.Month+1, 0, 0, 0, 0, 0, time.UTC).Day() && t.Hour >= 0 && t.Hour < 24 &&
		t.Minute >= 0 && t.Minute < 60 && t.Second >= 0 && t.Second < 60 && t.Microsecond >= 0 && t.Microsecond < 1e6
}

func (t TimeOfDay) valid() bool {
	return DateTime{1, 1, 1, t.Hour, t.Minute, t.Second, t.Microsecond, false}.valid()
}

func (t Date) valid() bool { return DateTime{t.Year, t.Month, t.Day, 0, 0, 0, 0, false}.valid() }

// packed are the n bytes that a date or time is made of; protocol 2 of Python 2 has them
// as a str.
func packed(args Tuple, n int) ([]byte, bool) {
	if len(args) == 0 || len(args) > 2 {
		return nil, false
	}
	b, ok := asBytes(args[0])
	if s, isText := args[0].(string); isText {
		b, ok = []byte(s), true
	}
	return b, ok && len(b) == n
}

// zone is the second argument, nil if there is none.
func zone(args Tuple) (*time.Location, bool) {
	if len(args) < 2 || args[1] == nil {
		return nil, true
	}
	loc, ok := args[1].(*time.Location)
	return loc, ok
}

func buildDate(d *decoder, n *node) (any, bool, error) {
	return d.simple(n, func(args Tuple) (any, bool, error) {
		b, ok := packed(args, 4)
		if !ok || len(args) != 1 {
			return nil, false, nil
		}
		v := Date{int(b[0])<<8 | int(b[1]), time.Month(b[2]), int(b[3])}
		return v, v.valid(), nil
	})
}

func buildTimeOfDay(d *decoder, n *node) (any, bool, error) {
	return d.simple(n, func(args Tuple) (any, bool, error) {
		b, ok := packed(args, 6)
		loc, okZone := zone(args)
		if !ok || !okZone {
			return nil, false, nil
		}
		v := TimeOfDay{int(b[0] & 0x7f), int(b[1]), int(b[2]), int(b[3])<<16 | int(b[4])<<8 | int(b[5]), b[0] >= 0x80, loc}
		return v, v.valid(), nil
	})
}

func buildDateTime(d *decoder, n *node) (any, bool, error) {
	return d.simple(n, func(args Tuple) (any, bool, error) {
		b, ok := packed(args, 10)
		loc, okZone := zone(args)
		if !ok || !okZone {
			return nil, false, nil
		}
		v := DateTime{int(b[0])<<8 | int(b[1]), time.Month(b[2] & 0x7f), int(b[3]), int(b[4]), int(b[5]), int(b[6]),
			int(b[7])<<16 | int(b[8])<<8 | int(b[9]), b[2] >= 0x80}
		if !v.valid() {
			return nil, false, nil
		}
		if loc == nil {
			return v, true, nil
		}
		return v.In(loc), true, nil
	})
}

const day = 24 * time.Hour

// buildDuration reads timedelta(days, seconds, microseconds).
func buildDuration(d *decoder, n *node) (any, bool, error) {
	return d.simple(n, func(args Tuple) (any, bool, error) {
		if len(args) != 3 {
			return nil, false, nil
		}
		days, ok1 := args[0].(int64)
		seconds, ok2 := args[1].(int64)
		us, ok3 := args[2].(int64)
		const most = math.MaxInt64/int64(day) - 1 // what is beyond stays inert
		if !ok1 || !ok2 || !ok3 || days > most || days < -most || seconds < 0 || seconds >= 86400 || us < 0 || us >= 1e6 {
			return nil, false, nil
		}
		return time.Duration(days)*day + time.Duration(seconds)*time.Second + time.Duration(us)*time.Microsecond, true, nil
	})
}

// buildTimezone reads timezone(offset) and timezone(offset, name).
func buildTimezone(d *decoder, n *node) (any, bool, error) {
	return d.simple(n, func(args Tuple) (any, bool, error) {
		offset, ok := argAt(args, 0).(time.Duration)
		if !ok || len(args) > 2 || offset <= -day || offset >= day || offset%time.Second != 0 {
			return nil, false, nil
		}
		seconds := int(offset / time.Second)
		name := offsetName(seconds)
		if len(args) == 2 {
			if name, ok = args[1].(string); !ok {
				return nil, false, nil
			}
		}
		if seconds == 0 && name == "UTC" {
			return time.UTC, true, nil
		}
		return time.FixedZone(name, seconds), true, nil
	})
}

// offsetName is what Python calls a timezone without a name.
func offsetName(seconds int) string {
	if seconds == 0 {
		return "UTC"
	}
	sign := '+'
	if seconds < 0 {
		sign, seconds = '-', -seconds
	}
	name := fmt.Sprintf("UTC%c%02d:%02d", sign, seconds/3600, seconds/60%60)
	if s := seconds % 60; s != 0 {
		name += fmt.Sprintf(":%02d", s)
	}
	return name
}

// buildZoneInfo reads a zone by its name, from the system's or the program's own database.
// Each zone is read once for a pickle; an unknown one stays inert.
func buildZoneInfo(d *decoder, n *node) (any, bool, error) {
	return d.simple(n, func(args Tuple) (any, bool, error) {
		name, ok := argAt(args, 0).(string)
		if !ok || name == "" || len(name) > maxName || strings.EqualFold(name, "local") {
			return nil, false, nil
		}
		if loc, ok := d.zones[name]; ok {
			return loc, loc != nil, nil
		}
		loc, err := time.LoadLocation(name)
		if err != nil {
			loc = nil
		}
		if d.zones == nil {
			d.zones = make(map[string]*time.Location)
		}
		d.zones[name] = loc
		return loc, loc != nil, nil
	})
}
