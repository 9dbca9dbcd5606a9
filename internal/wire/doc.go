// Package wire turns typed Go values into bytes and back between two
// processes of the same build, and frames those bytes on a stream.
//
// # Model
//
// Both ends are the same program, so a type has the same layout, the same
// field names and the same registered names on both. Nothing describes a
// static type on the wire: no schema, no version, no field names. Only what an
// interface holds is described, by a short descriptor (see [RegisterType]).
//
// What arrives is deeply equal (reflect.DeepEqual) to what was sent, or
// encoding ends in an [*Error] whose path names the place at the sender, such
// as in.Jobs[3].Next.
//
//   - Types without pointers (numbers, bools, arrays and structs of them,
//     unexported fields included) and slices of them travel as memory.
//   - Strings and byte slices travel as they are; nil and empty are kept apart
//     for slices, maps and pointers.
//   - Types for which the program has registered a codec travel by it, see RegisterCodec.
//   - A type without pointers that has a MarshalBinary travels as memory too, but is asked: an
//     error of the method is one of encoding.
//   - Messages of protobuf travel by a codec of the program's, or not at all.
//   - Types with MarshalBinary and UnmarshalBinary go through these and are as
//     exact as these are, except types without pointers, structs that embed a
//     type with such methods (a promoted method would lose the other fields),
//     url.URL, and time.Time, which has an exact encoding of its own that drops
//     only the monotonic reading.
//   - Other structs travel field by field, unexported and blank fields too;
//     struct tags mean nothing.
//   - Errors in interfaces, whose types are not registered, travel as the hook of Errors
//     wishes: they are the one exception from deep equality.
//   - Map keys must be equal by == when they arrive: keys with pointers, and times in
//     locations other than UTC and Local, are refused, and so are keys that
//     become one.
//   - Channels, functions, unsafe pointers, and things that belong to one
//     process (open files, weak pointers, unique handles) are refused.
//
// # Limits
//
// Values may be nested 100,000 levels deep, where every pointer, slice, map,
// interface, struct and array on the way counts as one. Cycles are an error.
// Pointers that are shared, but form no cycle, arrive as separate copies. A
// chain in which every node points twice at the next doubles with each node, and
// is refused when the message is some tens of MiB large.
//
// # Trust
//
// Bytes are decoded as if they came from an enemy: decoding does not panic,
// does not recurse without bound, and takes memory as elements arrive. It runs
// no code but the program's own UnmarshalBinary methods and hooks.
//
// # Non-goals
//
// Other languages, other builds of the program, storage, and small encodings:
// an int64 takes eight bytes, because copying them is the fastest thing to do.
// Padding inside structs travels along with them.
package wire
