//go:build unix

package process_test

import (
	"context"
	"regexp"
	"testing"

	"github.com/gomultiprocessing/mp"
	"github.com/gomultiprocessing/mp/internal/testkit"
)

// names are of a process, of the children and the pool's worker that it has started, and of theirs.
type names struct {
	Own      string
	Children []names
}

var nameTree *mp.Func[int, names]

func init() { nameTree = mp.Register("test/names", tree) }

func tree(ctx context.Context, depth int) (n names, err error) {
	n.Own = mp.Current().Name
	if depth == 0 {
		return n, nil
	}
	for range 2 {
		child, err := mp.Call(ctx, nameTree, depth-1)
		if err != nil {
			return n, err
		}
		n.Children = append(n.Children, child)
	}
	p, err := mp.NewPool(mp.PoolConfig{Workers: 1})
	if err != nil {
		return n, err
	}
	defer p.Terminate()
	child, err := mp.Apply(ctx, p, nameTree, depth-1)
	n.Children = append(n.Children, child)
	return n, err
}

// Default names are unique in the whole program: a child's children are named after it, as in Python.
func TestDefaultNamesAreUnique(t *testing.T) {
	t.Parallel()
	all, err := tree(testkit.Ctx(t), 2)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	var walk func(n names)
	walk = func(n names) {
		if seen[n.Own] {
			t.Errorf("two processes are named %s", n.Own)
		}
		seen[n.Own] = true
		for _, c := range n.Children {
			walk(c)
		}
	}
	walk(all)
	if len(seen) != 13 {
		t.Errorf("%d names, want 13", len(seen))
	}
	child, grandchild, inPool := all.Children[0], all.Children[0].Children[0], all.Children[0].Children[2]
	if !regexp.MustCompile(`^Process-\d+$`).MatchString(child.Own) || grandchild.Own != child.Own+":1" {
		t.Errorf("a child is %s, its first child %s", child.Own, grandchild.Own)
	}
	if !regexp.MustCompile(`^Pool-\d+:1-1$`).MatchString(inPool.Own) {
		t.Errorf("the worker of a child's pool is %s", inPool.Own)
	}
}
