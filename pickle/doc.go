// Package pickle reads and writes the pickles of Python: the values that programs in Go
// and in Python exchange. It reads protocols 0 to 5 and writes 4, which every Python since
// 3.4 reads. It needs no Python.
//
//	b, err := pickle.Marshal(map[string]any{"jobs": []int{1, 2, 3}})
//
//	var job struct {
//		Name  string    `pickle:"name"`
//		Sizes []float64 `pickle:"sizes"`
//	}
//	err = pickle.Unmarshal(b, &job)
//
// # Safety
//
// A pickle is a program: Python executes what it is sent, which is why it must not read
// pickles of strangers. This package executes nothing. It makes what is in the table
// below, classes that were registered, and what a [Codec] adds; all else becomes an inert
// [Object], os.system and its argument included. Persistent ids, extension codes and
// out-of-band buffers are errors. Time and memory are proportional to the length of the
// pickle, with a factor of up to some hundred, as for Python: an empty list is one byte.
//
// # What becomes what
//
// Into an interface:
//
//	None                            nil
//	bool                            bool
//	int                             int64, or *big.Int beyond
//	float, complex                  float64, complex128
//	str                             string; lone surrogates are encoded like other code points
//	bytes, bytearray                []byte, ByteArray
//	list, tuple                     []any, Tuple
//	set, frozenset                  Set, FrozenSet
//	dict                            map[any]any, or Dict where a key needs it
//	OrderedDict, Counter            OrderedDict, Counter
//	defaultdict, deque              *DefaultDict, *Deque
//	range, slice, Ellipsis          Range, Slice, Ellipsis
//	datetime.datetime               time.Time, or DateTime without a timezone
//	datetime.date, time             Date, TimeOfDay
//	datetime.timedelta              time.Duration; an Object beyond 292 years
//	datetime.timezone, ZoneInfo     *time.Location
//	Decimal, Fraction, UUID         Decimal, *big.Rat, UUID
//	pathlib's classes               Path, WindowsPath
//	array.array                     *Array
//	numpy arrays                    *NDArray; structured ones an Object
//	numpy scalars                   what they are: bool, int64, float64, string, ...
//	exceptions                      *Exception
//	a registered class              *T, see Register and RegisterPositional
//	a registered enum               T, see RegisterEnum
//	another class or function       Global
//	an object of another class      *Object
//
// Into a type, the same with checks: a number must fit, a float does not go into an int, None goes
// only into what can be nil and into struct{}. Lists, tuples, sets and deques go into every slice
// and array, dicts into every map with such keys, sets into a map[T]struct{} or map[T]bool,
// one-dimensional arrays into slices of numbers. A struct takes a dict by its keys, a tuple by its
// order, and an object by its attributes, whether its class is registered or not; keys without a
// field are skipped, fields without a key stay. A field has the name of its tag
// `pickle:"name"`, or its own; when reading, job_name also finds JobName.
//
// Marshal goes the other way. Integers and floats of all sizes become int and float; slices become
// lists, arrays tuples, a []byte or an array of bytes bytes, a map[T]struct{} a set, other maps
// dicts; structs dicts, unless they are registered; errors exceptions. What is nil becomes None.
// Of a time.Time, what is below a microsecond is lost; its zone becomes a ZoneInfo (of Python 3.9)
// if it has a name in the database, and else a timezone.
//
// # Sharing
//
// What a pickle refers to twice is made once: pointers and maps are the same, slices share their
// elements. Cycles through pointers to structs and through maps are kept; note that package fmt
// does not end on a map that contains itself. Cycles through slices are an [*Error] with the path.
//
// # Limits
//
// Values nest up to 5,000 deep. Integers in text, which only protocol 0 has, have up to a million
// digits.
//
// Not goals: running functions of Python, the pickles of Python's own pools and queues
// (their classes are private), reading several pickles from one stream.
package pickle
