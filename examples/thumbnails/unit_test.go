package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"image"
	"image/color"
	"path/filepath"
	"testing"
	"time"
)

func TestByteSize(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		in   string
		want byteSize
		text string
	}{
		{"300MiB", 300 << 20, "300 MiB"},
		{"1.5GiB", 3 << 29, "1.5 GiB"},
		{"2kb", 2000, "2 KiB"},
		{"4 MB", 4e6, "3.8 MiB"},
		{"1GB", 1e9, "953.7 MiB"},
		{"8KiB", 8192, "8 KiB"},
		{"1000", 1000, "1000 bytes"},
		{"7B", 7, "7 bytes"},
	} {
		var got byteSize
		if err := got.Set(tt.in); err != nil || got != tt.want || got.text() != tt.text {
			t.Errorf("%s: %d, %s, %v; want %d, %s", tt.in, got, got.text(), err, tt.want, tt.text)
		}
	}
	for _, in := range []string{"", "MiB", "-1", "0", "1e30GiB", "nan", "inf", "0x10", "3 apples", "1_000"} {
		var got byteSize
		if err := got.Set(in); err == nil {
			t.Errorf("%q: no error, but %d", in, got)
		}
	}
}

// TestOrientation turns an image with one marked corner in all ways.
func TestOrientation(t *testing.T) {
	t.Parallel()
	red := color.RGBA{255, 0, 0, 255}
	for o, want := range map[orientation]image.Point{
		1: {0, 0}, 2: {2, 0}, 3: {2, 1}, 4: {0, 1}, 5: {0, 0}, 6: {1, 0}, 7: {1, 2}, 8: {0, 2},
	} {
		img := image.NewRGBA(image.Rect(0, 0, 3, 2))
		img.SetRGBA(0, 0, red)
		got := o.apply(img)
		if size := got.Bounds().Size(); o.swaps() != (size == image.Pt(2, 3)) {
			t.Errorf("orientation %d: size %v", o, size)
		}
		if got.RGBAAt(want.X, want.Y) != red {
			t.Errorf("orientation %d: the corner is not at %v", o, want)
		}
	}
}

func FuzzReadOrientation(f *testing.F) {
	jpg, err := makeImage(".jpg", 8, 8)
	if err != nil {
		f.Fatal(err)
	}
	for _, order := range []binary.AppendByteOrder{binary.BigEndian, binary.LittleEndian} {
		data := withOrientation(jpg, 6, order)
		if o, err := readOrientation(bytes.NewReader(data)); o != 6 || err != nil {
			f.Errorf("%v: orientation %d, %v; want 6", order, o, err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if o, err := readOrientation(bytes.NewReader(data)); err == nil && (o < 1 || o > 8) {
			t.Errorf("orientation %d", o)
		}
	})
}

func TestNames(t *testing.T) {
	t.Parallel()
	long := string(bytes.Repeat([]byte("ä"), 126)) + ".png" // 256 bytes
	pictures := []*picture{
		{root: "/p/a", rel: "x.png"},
		{root: "/q/a", rel: "x.png"},
		{root: "/", rel: "x.png"},
		{root: "/p/b", rel: long},
		{root: "/p/b", rel: "ä" + long},
		{root: "/p/b", rel: "y.png"},
		{root: "/p/b", rel: "y.png.jpg/z.png"},
	}
	nameTargets(pictures)
	seen := make(map[string]bool)
	for _, p := range pictures {
		if seen[p.target] || !filepath.IsLocal(p.target) || len(filepath.Base(p.target)) > 230 {
			t.Errorf("%s in %s becomes %s", p.rel, p.root, p.target)
		}
		seen[p.target] = true
	}
	for _, want := range []string{"root/x.png", "b/y.png.jpg/z.png"} {
		if !seen[want] {
			t.Errorf("no %s in %v", want, seen)
		}
	}
}

func TestTickStep(t *testing.T) {
	t.Parallel()
	for length, want := range map[time.Duration]time.Duration{
		time.Millisecond:       time.Millisecond,
		264 * time.Millisecond: 50 * time.Millisecond,
		9 * time.Second:        time.Second,
		time.Hour:              500 * time.Second,
	} {
		if got := tickStep(length); got != want {
			t.Errorf("%v: a tick every %v, want %v", length, got, want)
		}
	}
}

// TestShrink looks at a large image whose left half is white: so is the thumbnail's.
func TestShrink(t *testing.T) {
	t.Parallel()
	img := image.NewGray(image.Rect(-7, 11, 1003-7, 701+11))
	for y := range 701 {
		for x := range 500 {
			img.SetGray(x-7, y+11, color.Gray{255})
		}
	}
	got, err := shrink(t.Context(), img, 100)
	if err != nil || got.Bounds() != image.Rect(0, 0, 100, 70) {
		t.Fatal(got.Bounds(), err)
	}
	for _, y := range []int{0, 35, 69} {
		for x, want := range map[int]uint8{0: 255, 20: 255, 45: 255, 55: 0, 80: 0, 99: 0} {
			if c := got.RGBAAt(x, y); c != (color.RGBA{want, want, want, 255}) {
				t.Errorf("at %d, %d: %v, want %d", x, y, c, want)
			}
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := shrink(ctx, img, 100); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}
