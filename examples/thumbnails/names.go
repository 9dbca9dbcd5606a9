package main

import (
	"crypto/sha256"
	"encoding/hex"
	"path/filepath"
	"strings"
)

// nameTargets gives each picture the name of its thumbnail: the name of the folder
// that was searched, and the path of the image in there with its extension, so
// that a/x.png, a/x.jpg and b/x.png become a/x.png.jpg, a/x.jpg.jpg and
// b/x.png.jpg. The names depend on the paths alone: the next run writes the same.
func nameTargets(pictures []*picture) {
	roots := nameRoots(pictures)
	folders := make(map[string]bool)
	for _, p := range pictures {
		dir, base := filepath.Split(p.rel)
		p.target = filepath.Join(roots[p.root], dir, shorten(base))
		for d := filepath.Dir(p.target); d != "." && !folders[d]; d = filepath.Dir(d) {
			folders[d] = true
		}
	}
	for _, p := range pictures { // a folder may be called x.png.jpg too
		if folders[p.target+".jpg"] || folders[p.target+".png"] {
			p.target += "-" + hash(p.target)
		}
	}
}

// nameRoots names the folders that were searched. When two have one name both get
// a hash of their path, so that neither takes the other's place.
func nameRoots(pictures []*picture) map[string]string {
	names := make(map[string]string) // by root
	count := map[string]int{sheetName: 2}
	for _, p := range pictures {
		if _, ok := names[p.root]; ok {
			continue
		}
		name := filepath.Base(p.root)
		if name == string(filepath.Separator) {
			name = "root"
		}
		names[p.root] = name
		count[name]++
	}
	for root, name := range names {
		if count[name] > 1 {
			names[root] = name + "-" + hash(root)
		}
	}
	return names
}

// shorten leaves room for an extension where a name is about as long as a file
// system takes.
func shorten(name string) string {
	const most = 200
	if len(name) <= most {
		return name
	}
	return strings.ToValidUTF8(name[:most-20], "") + "-" + hash(name)
}

func hash(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:4])
}
