package main

// What goroutines do.
var threadRows = []row{
	{
		key: "thread-map", from: "threadmap", figure: "rate", unit: perSecond,
		what:   "Map of a million ints on goroutines",
		beside: []beside{{"conc", 1}, {"errgroup", 0}, {"chunks", 0}},
	},
	{
		key: "thread-async", from: "threadasync", figure: "rate", unit: perSecond,
		what:   "ApplyAsync, then Get of all, on goroutines",
		beside: []beside{{"pond", 1}},
	},
	{
		key: "thread-queue-1-1", from: "threadqueue11", figure: "rate", unit: perSecond,
		what:   "thread.NewQueue of ints, 1 goroutine to 1",
		beside: []beside{{"chan11", 2}},
	},
	{
		key: "thread-queue-2-2", from: "threadqueue22", figure: "rate", unit: perSecond,
		what:   "thread.NewQueue of ints, 2 goroutines to 2",
		beside: []beside{{"chan22", 2}},
	},
	{
		key: "echo-64", from: "echo1", figure: "rate", unit: perSecond,
		what:   "examples/echo, 64 bytes there and back, 1 connection",
		beside: []beside{{"copy1", 1.5}},
	},
	{
		key: "echo-64-64", from: "echo64", figure: "rate", unit: perSecond,
		what:   "examples/echo, 64 bytes there and back, 64 connections",
		beside: []beside{{"copy64", 1.5}},
	},
	{
		key: "echo-64k", from: "echo64k", figure: "rate", unit: perSecond,
		what:   "examples/echo, 64 KiB there and back, 1 connection",
		beside: []beside{{"copy64k", 1.5}},
	},
}
