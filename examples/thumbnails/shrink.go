package main

import (
	"context"
	"image"

	"golang.org/x/image/draw"
)

// shrink scales an image down so that its longest side is size. Small ones stay
// as they are.
//
// Catmull-Rom looks best but takes three times as long as decoding a photograph.
// What is much too large is first made smaller by the mean of squares of pixels;
// it stays at least three times as large, so the eye sees no difference.
func shrink(ctx context.Context, img image.Image, size int) (*image.RGBA, error) {
	b := img.Bounds()
	w, h := b.Dx(), b.Dy()
	if longest := max(w, h); longest > size {
		w, h = max(1, (w*size+longest/2)/longest), max(1, (h*size+longest/2)/longest)
		if side := longest / (3 * size); side > 1 {
			var err error
			if img, err = means(ctx, img, side); err != nil {
				return nil, err
			}
			b = img.Bounds()
		}
	}
	dst := image.NewRGBA(image.Rect(0, 0, w, h))
	if w == b.Dx() && h == b.Dy() {
		draw.Draw(dst, dst.Bounds(), img, b.Min, draw.Src)
	} else {
		draw.CatmullRom.Scale(dst, dst.Bounds(), img, b, draw.Src, nil)
	}
	return dst, nil
}

// means makes one pixel of each square of side by side; squares at the right and
// the lower edge may be cut.
func means(ctx context.Context, img image.Image, side int) (*image.RGBA, error) {
	b := img.Bounds()
	strip := image.NewRGBA(image.Rect(0, 0, b.Dx(), side))
	out := image.NewRGBA(image.Rect(0, 0, (b.Dx()+side-1)/side, (b.Dy()+side-1)/side))
	for y := range out.Rect.Dy() {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		rows := min(side, b.Dy()-y*side)
		draw.Draw(strip, image.Rect(0, 0, b.Dx(), rows), img, b.Min.Add(image.Pt(0, y*side)), draw.Src)
		meansOf(out.Pix[y*out.Stride:], strip, rows, side)
	}
	return out, nil
}

// meansOf makes one row of means.
func meansOf(out []uint8, strip *image.RGBA, rows, side int) {
	width := strip.Rect.Dx()
	for x := 0; x < width; x += side {
		columns := min(side, width-x)
		var r, g, b, a uint32
		for y := range rows {
			at := y*strip.Stride + 4*x
			pixels := strip.Pix[at : at+4*columns]
			for ; len(pixels) >= 4; pixels = pixels[4:] {
				r += uint32(pixels[0])
				g += uint32(pixels[1])
				b += uint32(pixels[2])
				a += uint32(pixels[3])
			}
		}
		n := uint32(rows * columns)
		out[0], out[1], out[2], out[3] = uint8((r+n/2)/n), uint8((g+n/2)/n), uint8((b+n/2)/n), uint8((a+n/2)/n)
		out = out[4:]
	}
}
