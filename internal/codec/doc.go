// Package codec encodes typed Go values as bytes and decodes them in another process of the same
// build.
//
// # Model
//
// Both ends are the same program, so a type has the same layout, the same field names and the
// same registered name on both. The encoding describes no static type: it has no schema, no
// version and no field names. Only the value in an interface is preceded by a short descriptor of
// its type (see [RegisterType]).
//
// A value arrives deeply equal (reflect.DeepEqual) to the one that was sent, or encoding fails with
// an [*Error] whose path names the place at the sender, such as in.Jobs[3].Next.
//
//   - Types without pointers (numbers, bools, arrays and structs of them, including unexported
//     fields) and slices of them travel as memory.
//   - Strings and byte slices travel as they are. Nil slices and maps stay distinct from empty
//     ones.
//   - If the program registered a codec for a type, that codec encodes it: see [RegisterCustom].
//   - A type without pointers that has a MarshalBinary also travels as memory, but the method is
//     called first, and its error makes encoding fail.
//   - Protobuf messages need a codec registered by the program.
//   - Types with MarshalBinary and UnmarshalBinary are encoded by these methods, and are as exact
//     as these. Exceptions are types without pointers, structs that embed a type with such methods
//     (a promoted method would lose the other fields), url.URL, and time.Time. This package's
//     encoding of a time.Time drops only the monotonic reading.
//   - Other structs travel field by field, including unexported and blank fields. Struct tags are
//     ignored.
//   - The functions given to [Errors] encode errors in interfaces whose types are not registered.
//     These are the only exception to deep equality.
//   - Map keys must be equal by == when they arrive. Keys with pointers, times in locations other
//     than UTC and Local, and keys that would become equal are refused.
//   - Channels, functions, unsafe pointers, and things that belong to one process (weak pointers,
//     unique handles, open files unless a [Hook] encodes them) are refused.
//
// # Limits
//
// Values may be nested 100,000 levels deep; every pointer, slice, map, interface, struct and
// array on the way counts as one. Cycles are an error. Pointers that are shared without a cycle
// arrive as separate copies. A chain in which every node points twice at the next doubles with
// each node; it is refused once the message has tens of MiB.
//
// # Trust
//
// Decoding treats its input as hostile: it does not panic, does not recurse without bound, and
// allocates memory as elements arrive. The only code of the program that it runs is UnmarshalBinary
// methods, codecs and hooks.
//
// # Non-goals
//
// Other languages, other builds of the program, storage, and compact encodings: an int64 takes
// eight bytes, because copying memory is fastest. Padding inside structs travels along.
package codec
