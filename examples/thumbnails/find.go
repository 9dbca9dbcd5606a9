package main

import (
	"cmp"
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/gomultiprocessing/mp/examples/internal/show"
)

// picture is one image and what became of it.
type picture struct {
	Path   string // as the user would write it
	root   string // the folder it was found under, links resolved
	rel    string // its path below root
	target string // of the thumbnail in the output folder, without extension

	state  state
	thumb  thumb
	reason reason
	pid    int
	wall   time.Duration
}

type state int

const (
	waiting state = iota // or cut off by an interrupt
	done
	failed
)

// problem is something that could not be searched.
type problem struct{ Path, Reason string }

// search is what was found.
type search struct {
	pictures []*picture
	problems []problem
	empty    []string // folders without images

	out     string // the output folder, links resolved; "": does not exist yet
	outInfo fs.FileInfo
	seen    map[string]bool
}

var extensions = []string{".png", ".jpg", ".jpeg", ".gif", ".webp", ".bmp", ".tif", ".tiff"}

func isImage(name string) bool {
	return slices.Contains(extensions, strings.ToLower(filepath.Ext(name)))
}

// find looks for images in folders, and takes files as they are. What is in the
// output folder is left out: it was made by an earlier run.
func find(ctx context.Context, paths []string, out string) *search {
	s := &search{seen: make(map[string]bool)}
	if dir, err := resolve(out); err == nil {
		s.out = dir
		s.outInfo, _ = os.Stat(dir)
	}
	for _, p := range paths {
		real, err := resolve(p)
		if err != nil {
			s.problem(p, err)
			continue
		}
		info, err := os.Stat(real)
		switch {
		case err != nil:
			s.problem(p, err)
		case s.ours(real):
			s.problem(p, fmt.Errorf("is in the output folder %s, whose images are thumbnails: name another with -out", show.Text(out)))
		case !info.IsDir():
			s.file(p)
		default:
			s.folder(ctx, p, real)
		}
	}
	slices.SortFunc(s.pictures, func(a, b *picture) int { // folder by folder, as the contact sheet shows them
		return cmp.Or(strings.Compare(filepath.Dir(a.Path), filepath.Dir(b.Path)), strings.Compare(a.Path, b.Path))
	})
	nameTargets(s.pictures)
	return s
}

func resolve(path string) (string, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	return filepath.EvalSymlinks(abs)
}

// ours says whether a path is the output folder or in it.
func (s *search) ours(path string) bool {
	if s.out == "" {
		return false
	}
	rel, err := filepath.Rel(s.out, path)
	return err == nil && filepath.IsLocal(rel)
}

func (s *search) problem(path string, err error) {
	s.problems = append(s.problems, problem{path, plain(err)})
}

// add takes an image unless it was found before by another argument.
func (s *search) add(p *picture) {
	key := filepath.Join(p.root, p.rel)
	if !s.seen[key] {
		s.seen[key] = true
		s.pictures = append(s.pictures, p)
	}
}

func (s *search) file(path string) {
	abs, err := filepath.Abs(path)
	if err == nil {
		abs, err = resolve(filepath.Dir(abs))
	}
	if err != nil {
		s.problem(path, err)
		return
	}
	s.add(&picture{Path: path, root: abs, rel: filepath.Base(path)})
}

func (s *search) folder(ctx context.Context, path, root string) {
	found := false
	err := filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
		if ctx.Err() != nil {
			return fs.SkipAll
		}
		rel, relErr := filepath.Rel(root, p)
		shown := filepath.Join(path, rel)
		switch {
		case err == nil:
			err = relErr
		case d == nil:
			return err
		}
		switch {
		case err != nil:
			s.problem(shown, err)
		case d.IsDir() && s.isOut(d):
			return fs.SkipDir
		case !d.IsDir() && isImage(d.Name()) && !leadsToFolder(p, d):
			found = true
			s.add(&picture{Path: shown, root: root, rel: rel})
		}
		return nil
	})
	if err != nil {
		s.problem(path, err)
	} else if !found && ctx.Err() == nil {
		s.empty = append(s.empty, path)
	}
}

func (s *search) isOut(d fs.DirEntry) bool {
	if s.outInfo == nil {
		return false
	}
	info, err := d.Info()
	return err == nil && os.SameFile(info, s.outInfo)
}

// leadsToFolder says whether a link leads to a folder. Other links are taken: if
// they lead nowhere, or in a circle, the worker says so.
func leadsToFolder(path string, d fs.DirEntry) bool {
	if d.Type()&fs.ModeSymlink == 0 {
		return false
	}
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}
