package mp_test

import (
	"context"
	"fmt"
	"log"

	"github.com/gomultiprocessing/mp"
)

type Shape interface{ Area() float64 }

type Rectangle struct{ Width, Height float64 }

func (r Rectangle) Area() float64 { return r.Width * r.Height }

type Square struct{ Side float64 }

func (s Square) Area() float64 { return s.Side * s.Side }

func init() {
	mp.RegisterType[Rectangle]("Rectangle")
	mp.RegisterType[Square]("Square")
}

var largest = mp.Register("largest", func(ctx context.Context, shapes []Shape) (Shape, error) {
	var most Shape
	for _, s := range shapes {
		if most == nil || s.Area() > most.Area() {
			most = s
		}
	}
	return most, nil
})

// A type that travels inside an interface is made known by a name.
func ExampleRegisterType() {
	ctx := context.Background()
	pool, err := mp.NewPool(mp.PoolConfig{Workers: 1})
	if err != nil {
		log.Fatal(err)
	}
	defer pool.Close()

	s, err := mp.Apply(ctx, pool, largest, []Shape{Square{2}, Rectangle{3, 4}, Square{3}})
	fmt.Printf("%+v %v\n", s, err)
	// Output:
	// {Width:3 Height:4} <nil>
}
