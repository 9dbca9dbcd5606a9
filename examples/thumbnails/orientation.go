package main

import (
	"bufio"
	"encoding/binary"
	"errors"
	"image"
	"io"
)

// orientation is how a camera was held, as EXIF numbers it: how the stored image
// must be turned or mirrored to be seen upright.
type orientation int

const upright orientation = 1

// swaps says whether width and height change places.
func (o orientation) swaps() bool { return o >= 5 }

// apply turns an image upright.
func (o orientation) apply(img *image.RGBA) *image.RGBA {
	if o == upright {
		return img
	}
	w, h := img.Rect.Dx(), img.Rect.Dy()
	out := image.NewRGBA(image.Rect(0, 0, w, h))
	if o.swaps() {
		out = image.NewRGBA(image.Rect(0, 0, h, w))
	}
	for y := range h {
		for x := range w {
			dx, dy := x, y
			switch o {
			case 2:
				dx = w - 1 - x
			case 3:
				dx, dy = w-1-x, h-1-y
			case 4:
				dy = h - 1 - y
			case 5:
				dx, dy = y, x
			case 6:
				dx, dy = h-1-y, x
			case 7:
				dx, dy = h-1-y, w-1-x
			case 8:
				dx, dy = y, w-1-x
			}
			out.SetRGBA(dx, dy, img.RGBAAt(x, y))
		}
	}
	return out
}

var errNoEXIF = errors.New("no EXIF")

// readOrientation finds the orientation in a JPEG file: its segments up to the
// one with the EXIF data, which are a small TIFF file.
func readOrientation(r io.Reader) (orientation, error) {
	br := bufio.NewReader(r)
	if _, err := br.Discard(2); err != nil { // start of image
		return 0, err
	}
	for {
		var head [4]byte
		if _, err := io.ReadFull(br, head[:]); err != nil {
			return 0, err
		}
		size := int(binary.BigEndian.Uint16(head[2:])) - 2
		if head[0] != 0xff || head[1] == 0xda || size < 0 { // 0xda: the image itself
			return 0, errNoEXIF
		}
		if head[1] != 0xe1 { // APP1
			if _, err := br.Discard(size); err != nil {
				return 0, err
			}
			continue
		}
		data := make([]byte, size)
		if _, err := io.ReadFull(br, data); err != nil {
			return 0, err
		}
		if len(data) > 14 && string(data[:6]) == "Exif\x00\x00" {
			return orientationIn(data[6:])
		}
	}
}

// orientationIn finds the orientation in the first directory of a TIFF file.
func orientationIn(tiff []byte) (orientation, error) {
	var order binary.ByteOrder = binary.LittleEndian
	if string(tiff[:2]) == "MM" {
		order = binary.BigEndian
	}
	at := uint64(order.Uint32(tiff[4:]))
	if at+2 > uint64(len(tiff)) {
		return 0, errNoEXIF
	}
	entries := tiff[at+2:]
	for range order.Uint16(tiff[at:]) {
		if len(entries) < 12 {
			break
		}
		if o := orientation(order.Uint16(entries[8:])); order.Uint16(entries) == 0x0112 && o >= 1 && o <= 8 {
			return o, nil
		}
		entries = entries[12:]
	}
	return 0, errNoEXIF
}
