package main

// What processes share.
var sharedRows = []row{
	{
		key: "queue-1-1", from: "queue11", figure: "rate", unit: perSecond, demands: 25,
		what: "Queue of ints, 1 process to 1", peer: "Queue, put and get",
		beside: []beside{{"chan11", 0}},
	},
	{
		key: "queue-2-2", from: "queue22", figure: "rate", unit: perSecond, demands: 12,
		what: "Queue of ints, 2 processes to 2", peer: "Queue, put and get",
		beside: []beside{{"chan22", 0}},
	},
	{
		key: "queue-64k", from: "queue64k", figure: "rate", unit: perSecond, demands: 5,
		what: "Queue of 64 KiB, room for 8, 1 process to 1", peer: "Queue, put and get",
		beside: []beside{{"chan64k", 0}},
	},
	{
		key: "queue-trip", from: "queuert", figure: "p50", unit: seconds, demands: 5,
		what: "there and back over two Queues, median", peer: "two Queues",
		beside: []beside{{"chantrip", 0}},
	},
	{
		key: "pipe-trip", from: "pipert", figure: "p50", unit: seconds, demands: 2,
		what: "there and back over a pipe, median", peer: "Pipe, send and recv",
		beside: []beside{{"socketpair", 2}},
	},
	{
		key: "lock", from: "lock", figure: "time", unit: seconds, demands: 3,
		what: "Lock.Acquire, Release, nobody else there", peer: "Lock.acquire, release",
		beside: []beside{{"robust", 4}, {"mutex", 0}},
	},
	{
		key: "value", from: "value", figure: "time", unit: seconds, demands: 10,
		what: "Value.Update, an increment", peer: "with v.get_lock(): v.value += 1",
		beside: []beside{{"mutexinc", 0}},
	},
	{
		key: "counter", from: "counter", figure: "time", unit: seconds,
		what:   "Counter.Add",
		beside: []beside{{"atomic", 2}},
	},
	{
		key: "dead-owner", from: "death", figure: "p50", unit: seconds, within: 5e-3,
		what: "a Lock's owner is killed, to a waiter's hold", peer: "Lock.acquire", never: true,
	},
}
