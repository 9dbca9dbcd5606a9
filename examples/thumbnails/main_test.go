package main

import (
	"bytes"
	"compress/zlib"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
	"golang.org/x/image/bmp"
	"golang.org/x/image/tiff"

	"github.com/gomultiprocessing/mp"
)

// noSleep is for programs built with -race: else each sleeps for a second at its end.
const noSleep = "atexit_sleep_ms=0"

// The test binary is the program: the scripts run it under the name thumbnails.
func TestMain(m *testing.M) {
	mp.Main()
	os.Setenv("GORACE", noSleep) // it is for speed only
	testscript.Main(m, map[string]func(){"thumbnails": main})
}

func TestScripts(t *testing.T) {
	t.Parallel()
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		Setup:               func(env *testscript.Env) error { env.Setenv("GORACE", noSleep); return nil },
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits":  exits,
			"image":  command(makeImage),
			"zeros":  command(makeZeros),
			"claim":  command(makeClaim),
			"turned": command(makeTurned),
			"halve":  halve,
			"size":   size,
			"thumbs": thumbs,
			"clean":  noLeftovers,
		},
	})
}

// exits runs a program and looks at its exit code: exits 1 thumbnails ...
func exits(ts *testscript.TestScript, _ bool, args []string) {
	err := ts.Exec(args[1], args[2:]...)
	var exit *exec.ExitError
	code := 0
	if errors.As(err, &exit) {
		code = exit.ExitCode()
	} else {
		ts.Check(err)
	}
	if want, err := strconv.Atoi(args[0]); err != nil || code != want {
		ts.Fatalf("exit code %d, want %s", code, args[0])
	}
}

// command makes a command of a function that makes a file: image a.png 40x30.
func command(f func(ext string, w, h int) ([]byte, error)) func(*testscript.TestScript, bool, []string) {
	return func(ts *testscript.TestScript, _ bool, args []string) {
		w, h := dimensions(ts, args[1])
		data, err := f(filepath.Ext(args[0]), w, h)
		ts.Check(err)
		name := ts.MkAbs(args[0])
		ts.Check(os.MkdirAll(filepath.Dir(name), 0o755))
		ts.Check(os.WriteFile(name, data, 0o644))
	}
}

func dimensions(ts *testscript.TestScript, s string) (w, h int) {
	if _, err := fmt.Sscanf(s, "%dx%d", &w, &h); err != nil {
		ts.Fatalf("%s: not a size: %v", s, err)
	}
	return w, h
}

// size looks at the size of an image: size a.png 40x30.
func size(ts *testscript.TestScript, _ bool, args []string) {
	w, h := dimensions(ts, args[1])
	cfg, _, err := image.DecodeConfig(bytes.NewReader([]byte(ts.ReadFile(args[0]))))
	ts.Check(err)
	if cfg.Width != w || cfg.Height != h {
		ts.Fatalf("%s is %dx%d, want %s", args[0], cfg.Width, cfg.Height, args[1])
	}
}

// halve cuts a file.
func halve(ts *testscript.TestScript, _ bool, args []string) {
	for _, name := range args {
		name = ts.MkAbs(name)
		info, err := os.Stat(name)
		ts.Check(err)
		ts.Check(os.Truncate(name, info.Size()/2))
	}
}

// thumbs counts the files in an output folder that are no contact sheet: thumbs out 3.
func thumbs(ts *testscript.TestScript, _ bool, args []string) {
	n := len(filesIn(ts, args[0]))
	if want, err := strconv.Atoi(args[1]); err != nil || n != want {
		ts.Fatalf("%d files in %s, want %s", n, args[0], args[1])
	}
}

// noLeftovers looks for what is neither a thumbnail nor the contact sheet.
func noLeftovers(ts *testscript.TestScript, _ bool, args []string) {
	for _, name := range filesIn(ts, args[0]) {
		if !isImage(name) {
			ts.Fatalf("%s was left", name)
		}
	}
}

func filesIn(ts *testscript.TestScript, dir string) (files []string) {
	ts.Check(filepath.WalkDir(ts.MkAbs(dir), func(path string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() && d.Name() != sheetName {
			files = append(files, path)
		}
		return err
	}))
	return files
}

// pattern is some image.
func pattern(w, h int) *image.NRGBA {
	img := image.NewNRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			img.SetNRGBA(x, y, color.NRGBA{uint8(x), uint8(y), uint8(x ^ y), 255})
		}
	}
	return img
}

func makeImage(ext string, w, h int) ([]byte, error) {
	var buf bytes.Buffer
	img := pattern(w, h)
	switch ext {
	case ".jpg", ".jpeg", ".JPG":
		err := jpeg.Encode(&buf, img, nil)
		return buf.Bytes(), err
	case ".gif":
		return makeAnimation(w, h)
	case ".bmp":
		err := bmp.Encode(&buf, img)
		return buf.Bytes(), err
	case ".tif", ".tiff":
		err := tiff.Encode(&buf, img, nil)
		return buf.Bytes(), err
	case ".webp": // of one pixel: there is no encoder
		return base64.StdEncoding.DecodeString("UklGRhoAAABXRUJQVlA4TA0AAAAvAAAAEAcQERGIiP4HAA==")
	}
	err := png.Encode(&buf, img)
	return buf.Bytes(), err
}

// makeAnimation makes a GIF whose first frame is black and whose second is white.
func makeAnimation(w, h int) ([]byte, error) {
	var buf bytes.Buffer
	frames := []*image.Paletted{}
	for _, c := range []color.Color{color.Black, color.White} {
		frames = append(frames, image.NewPaletted(image.Rect(0, 0, w, h), color.Palette{c}))
	}
	err := gif.EncodeAll(&buf, &gif.GIF{Image: frames, Delay: []int{10, 10}})
	return buf.Bytes(), err
}

// makeTurned makes a JPEG that a camera held upright has taken: EXIF says that it
// must be turned by a quarter.
func makeTurned(_ string, w, h int) ([]byte, error) {
	var buf bytes.Buffer
	if err := jpeg.Encode(&buf, pattern(w, h), nil); err != nil {
		return nil, err
	}
	return withOrientation(buf.Bytes(), 6, binary.BigEndian), nil
}

// withOrientation puts an EXIF segment after the start of a JPEG file.
func withOrientation(jpg []byte, o uint16, order binary.AppendByteOrder) []byte {
	exif := []byte("Exif\x00\x00II")
	if order.String() == "BigEndian" {
		exif = []byte("Exif\x00\x00MM")
	}
	exif = order.AppendUint16(exif, 42)
	exif = order.AppendUint32(exif, 8)
	exif = order.AppendUint16(exif, 1)
	exif = order.AppendUint16(exif, 0x0112)
	exif = order.AppendUint16(exif, 3)
	exif = order.AppendUint32(exif, 1)
	exif = order.AppendUint16(exif, o)
	exif = append(exif, 0, 0, 0, 0, 0, 0)
	out := append([]byte{}, jpg[:2]...)
	out = append(out, 0xff, 0xe1)
	out = binary.BigEndian.AppendUint16(out, uint16(len(exif)+2))
	return append(append(out, exif...), jpg[2:]...)
}

// makeZeros makes a grey PNG, black all over: small in a file and large in memory.
func makeZeros(_ string, w, h int) ([]byte, error) {
	var idat bytes.Buffer
	z, err := zlib.NewWriterLevel(&idat, zlib.BestSpeed)
	if err != nil {
		return nil, err
	}
	line := make([]byte, w+1)
	for range h {
		if _, err := z.Write(line); err != nil {
			return nil, err
		}
	}
	if err := z.Close(); err != nil {
		return nil, err
	}
	return pngOf(w, h, idat.Bytes()), nil
}

// makeClaim makes a tiny PNG that claims to be large.
func makeClaim(_ string, w, h int) ([]byte, error) {
	return pngOf(w, h, []byte{0x78, 0x9c, 0x03, 0, 0, 0, 0, 1}), nil
}

func pngOf(w, h int, idat []byte) []byte {
	var buf bytes.Buffer
	io.WriteString(&buf, "\x89PNG\r\n\x1a\n")
	chunk := func(kind string, data []byte) {
		binary.Write(&buf, binary.BigEndian, uint32(len(data)))
		body := append([]byte(kind), data...)
		buf.Write(body)
		binary.Write(&buf, binary.BigEndian, crc32.ChecksumIEEE(body))
	}
	head := binary.BigEndian.AppendUint32(nil, uint32(w))
	head = binary.BigEndian.AppendUint32(head, uint32(h))
	chunk("IHDR", append(head, 8, 0, 0, 0, 0)) // 8 bits, grey
	chunk("IDAT", idat)
	chunk("IEND", nil)
	return buf.Bytes()
}
