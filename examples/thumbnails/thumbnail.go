package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/color"
	_ "image/gif" // decodes the first frame
	"image/jpeg"
	"image/png"
	"io"
	"math/bits"
	"os"
	"path/filepath"

	_ "golang.org/x/image/bmp"
	_ "golang.org/x/image/tiff"
	_ "golang.org/x/image/webp"

	"github.com/gomultiprocessing/mp"
)

// job is what a worker is asked to do.
type job struct {
	Source string
	Target string // without extension
	Temp   string // written first and then renamed; the main process removes it when the worker dies
	Size   int
	Memory int64
}

// thumb is what became of it.
type thumb struct {
	Ext           string // of the thumbnail
	Format        string // of the image
	Width, Height int    // of the image, turned upright
	Small         image.Point
	Bytes         int // of the thumbnail
}

// errWrite says that it is the output that failed.
var errWrite = errors.New("cannot write the thumbnail")

var (
	errNotRegular = errors.New("not a regular file")
	errEmpty      = errors.New("the file is empty")
)

// tooBig says that the decoded image would not fit into the memory limit.
type tooBig struct {
	Width, Height int
	Memory        int64
}

func (e *tooBig) Error() string {
	return fmt.Sprintf("claims %d × %d pixels, which do not fit into %s", e.Width, e.Height, byteSize(e.Memory).text())
}

var makeThumbnail = mp.Register("thumbnail", func(ctx context.Context, j job) (thumb, error) {
	t, err := j.make(ctx)
	if err != nil && ctx.Err() != nil {
		err = ctx.Err() // decoders wrap it in words of their own
	}
	return t, err
})

// Errors lose their identity between processes unless both know them by a name.
func init() {
	mp.RegisterError("image.ErrFormat", image.ErrFormat)
	mp.RegisterError("thumbnails.errWrite", errWrite)
	mp.RegisterErrorType[*tooBig]("thumbnails.tooBig")
}

func (j *job) make(ctx context.Context) (thumb, error) {
	info, err := os.Stat(j.Source) // opening a named pipe would wait for its writer
	if err != nil {
		return thumb{}, err
	}
	switch {
	case !info.Mode().IsRegular():
		return thumb{}, errNotRegular
	case info.Size() == 0:
		return thumb{}, errEmpty
	}
	f, err := os.Open(j.Source)
	if err != nil {
		return thumb{}, err
	}
	defer f.Close()
	cfg, format, err := image.DecodeConfig(bufio.NewReader(f))
	if err != nil {
		return thumb{}, err
	}
	if tooMany(cfg, j.Memory) {
		return thumb{}, &tooBig{cfg.Width, cfg.Height, j.Memory}
	}
	turn := upright
	if format == "jpeg" {
		if turn, err = readOrientation(io.NewSectionReader(f, 0, info.Size())); err != nil {
			turn = upright // what is no proper EXIF is none
		}
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return thumb{}, err
	}
	img, _, err := image.Decode(bufio.NewReader(&stopReader{ctx, f}))
	if err != nil {
		return thumb{}, err
	}
	small, err := shrink(ctx, img, j.Size)
	if err != nil {
		return thumb{}, err
	}
	small = turn.apply(small)
	t := thumb{Format: format, Width: cfg.Width, Height: cfg.Height, Small: small.Bounds().Size()}
	if turn.swaps() {
		t.Width, t.Height = t.Height, t.Width
	}
	return t, t.write(small, j)
}

// tooMany says whether the image alone would take more than the memory there is.
// A tiny file can claim any size, so this is asked before decoding. It is a
// friendly word, not the guard: what decoders need besides the memory limit stops.
func tooMany(cfg image.Config, memory int64) bool {
	bytes := uint64(4)
	switch cfg.ColorModel {
	case color.GrayModel, color.AlphaModel:
		bytes = 1
	case color.Gray16Model, color.Alpha16Model:
		bytes = 2
	case color.YCbCrModel:
		bytes = 3
	case color.RGBA64Model, color.NRGBA64Model:
		bytes = 8
	default:
		if _, ok := cfg.ColorModel.(color.Palette); ok {
			bytes = 1
		}
	}
	over, need := bits.Mul64(uint64(cfg.Width)*bytes, uint64(cfg.Height))
	return over > 0 || need > uint64(memory)
}

// stopReader ends the decoding when the time is up: an image that reads on is
// stopped without the loss of its worker.
type stopReader struct {
	ctx context.Context
	r   io.Reader
}

func (s *stopReader) Read(p []byte) (int, error) {
	if err := s.ctx.Err(); err != nil {
		return 0, err
	}
	return s.r.Read(p)
}

// write puts the thumbnail in its place, whole or not at all.
func (t *thumb) write(img *image.RGBA, j *job) error {
	var buf bytes.Buffer
	var err error
	// JPEG has no transparency, and smears small icons without saving anything.
	if t.Ext = ".jpg"; !img.Opaque() || max(t.Small.X, t.Small.Y) <= 64 {
		t.Ext = ".png"
		err = png.Encode(&buf, img)
	} else {
		err = jpeg.Encode(&buf, img, &jpeg.Options{Quality: 85})
	}
	if err != nil {
		return fmt.Errorf("%w: %w", errWrite, err)
	}
	t.Bytes = buf.Len()
	if err := os.MkdirAll(filepath.Dir(j.Target), 0o777); err != nil {
		return fmt.Errorf("%w: %w", errWrite, err)
	}
	if err := writeFile(j.Target+t.Ext, j.Temp, buf.Bytes()); err != nil {
		return fmt.Errorf("%w: %w", errWrite, err)
	}
	return nil
}

// writeFile writes a file under another name and renames it: whoever looks sees
// the old file or the new one, never a half.
func writeFile(name, temp string, data []byte) error {
	err := os.WriteFile(temp, data, 0o666)
	if err == nil {
		err = os.Rename(temp, name)
	}
	if err != nil {
		os.Remove(temp) // what matters is the error before
	}
	return err
}
