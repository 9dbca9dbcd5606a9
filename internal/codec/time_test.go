package codec_test

import (
	"math"
	"testing"
	"time"
	_ "time/tzdata" // the tests must not depend on the machine's database

	"github.com/gomultiprocessing/mp/internal/codec"
)

func zone(tb testing.TB, name string) *time.Location {
	tb.Helper()
	loc, err := time.LoadLocation(name)
	if err != nil {
		tb.Fatal(err)
	}
	return loc
}

func TestTimesArrive(t *testing.T) {
	t.Parallel()
	zones := []*time.Location{
		time.UTC, time.Local, zone(t, "Europe/Berlin"), zone(t, "America/St_Johns"), zone(t, "Asia/Kathmandu"), zone(t, "UTC"), zone(t, "CET"),
		time.FixedZone("", 0), time.FixedZone("", 3600), time.FixedZone("UTC", 0), time.FixedZone("CET", 3600),
		time.FixedZone("Europe/Berlin", 7200), time.FixedZone("odd", -12345), new(time.Location), time.FixedZone("Local", 1),
	}
	for _, loc := range zones {
		for _, at := range []time.Time{
			time.Date(0, 1, 1, 0, 0, 0, 0, loc), time.Date(9999, 12, 31, 23, 59, 59, 999_999_999, loc), time.Date(-400, 2, 3, 4, 5, 6, 7, loc),
			time.Unix(-1, 1).In(loc), time.Unix(0, 0).In(loc), time.Now().Round(0).In(loc), {}, time.Time{}.In(loc),
			time.Unix(math.MaxInt64, 999_999_999).In(loc), time.Unix(math.MinInt64, 0).In(loc), time.Date(2026, 7, 1, 0, 0, 0, 1, loc),
		} {
			got := roundTrip(t, at)
			if at.Location() == time.Local != (got.Location() == time.Local) || at.Location() == time.UTC != (got.Location() == time.UTC) {
				t.Errorf("%v arrived in %p", at, got.Location())
			}
		}
	}
}

func TestTheMonotonicReadingIsDropped(t *testing.T) {
	t.Parallel()
	now := time.Now()
	if got := decoded[time.Time](t, encoded(t, now), false); got != now.Round(0) {
		t.Errorf("%#v arrived as %#v", now, got)
	}
}

func TestManyTimesInOneZoneShareIt(t *testing.T) {
	t.Parallel()
	loc := time.FixedZone("shared", 99)
	times := make([]time.Time, 1000)
	for i := range times {
		times[i] = time.Unix(int64(i), int64(i)).In(loc)
		if i%7 == 0 {
			times[i] = times[i].In(zone(t, "Asia/Tokyo"))
		}
	}
	got := roundTrip(t, times)
	if got[1].Location() != got[2].Location() {
		t.Error("neighbours have locations of their own")
	}
}

func TestLocationsArrive(t *testing.T) {
	t.Parallel()
	type places struct{ A, B, C, D, E, F *time.Location }
	v := places{nil, time.UTC, time.Local, zone(t, "Europe/Berlin"), time.FixedZone("x", 1), new(time.Location)}
	got := roundTrip(t, v)
	if got.B != time.UTC || got.C != time.Local {
		t.Errorf("UTC or Local lost its identity: %p %p", got.B, got.C)
	}
	roundTrip(t, *time.FixedZone("by value", 1))
}

func TestZonesThatNobodyKnowsTravelByTheirFields(t *testing.T) {
	t.Parallel()
	// A location whose rules and name no time zone database has.
	loc, err := time.LoadLocationFromTZData("Mars/Olympus", []byte(berlinLike()))
	if err != nil {
		t.Fatal(err)
	}
	at := time.Date(2026, 7, 1, 12, 0, 0, 5, loc)
	got := roundTrip(t, []time.Time{at, at.Add(1), at})
	if got[0].Format(time.RFC3339Nano+" MST") != at.Format(time.RFC3339Nano+" MST") {
		t.Errorf("%v arrived as %v", at, got[0])
	}
}

// berlinLike returns a minimal time zone file: one zone, one transition to it,
// and a rule for daylight saving time.
func berlinLike() string {
	part := func(transitions string, count byte) string {
		header := "TZif2" + string(make([]byte, 15))
		counts := string([]byte{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, count, 0, 0, 0, 1, 0, 0, 0, 4})
		return header + counts + transitions + string([]byte{0, 0, 14, 16, 0, 0}) + "OLT\x00"
	}
	return part("", 0) + part(string([]byte{0, 0, 0, 0, 0, 0, 0, 1, 0}), 1) + "\nOLT-1OLST,M3.5.0,M10.5.0/3\n"
}

func TestHostileTimesAreRefused(t *testing.T) {
	t.Parallel()
	message := encoded(t, time.Unix(1, 0))
	message[11] = 0xff // the nanoseconds
	var got time.Time
	if err := codec.Decode(codec.NewReader(message), &got); err == nil {
		t.Errorf("arrived %v", got)
	}
}
